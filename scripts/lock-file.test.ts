// `npm ci` works on every platform, and from any registry: what the lock file has to hold for that.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const root = fileURLToPath(new URL("..", import.meta.url));
const test = suite("lock file");

type Versions = Readonly<Record<string, string>>;

interface Manifest {
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
  readonly optionalDependencies?: Versions;
  readonly peerDependencies?: Versions;
}

interface Locked extends Manifest {
  readonly version?: string;
  readonly integrity?: string;
}

/** By the folder that npm installs into, relative to the root. */
type Packages = Readonly<Record<string, Locked>>;

const text = readFileSync(`${root}package-lock.json`, "utf8");
const { packages }: { packages: Packages } = JSON.parse(text);
const manifest: Manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

/** What the package in the folder `from` gets where it asks for `name`: the nearest one, as Node looks for it. */
function found(all: Packages, from: string, name: string): Locked | null {
  const inside = all[`${from}${from === "" ? "" : "/"}node_modules/${name}`];
  if (inside !== undefined || from === "") return inside ?? null;
  return found(all, from.slice(0, Math.max(0, from.lastIndexOf("/node_modules/"))), name);
}

/** Whether a version is in a range of the forms 1.2.3 and ~1.2.3. Errors: throws for any other form. */
function satisfies(version: string, range: string): boolean {
  const [, tilde = "", minor = "", patch] = /^(~?)(\d+\.\d+\.)(\d+)$/.exec(range) ?? [];
  if (patch === undefined) throw new Error(`this test does not know the range ${range}`);
  if (tilde === "") return version === range;
  return version.startsWith(minor) && Number(version.slice(minor.length)) >= Number(patch);
}

/** Optional packages that are named but not locked as named. */
function missing(all: Packages): string[] {
  return Object.entries(all).flatMap(([folder, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies).flatMap(([name, range]) => {
      const locked = found(all, folder, name);
      const isComplete = locked?.integrity !== undefined && satisfies(locked.version ?? "", range);
      return isComplete ? [] : [`${name} ${range} of ${folder || "the project"}`];
    }),
  );
}

test("every optional package of every platform is locked", () => {
  const named = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies));
  assert.ok(named.length > 50, `only ${named.length} optional packages found`);
  assert.equal(missing(packages), []);
});

test("a package that is missing, of another version or without its hash is found", () => {
  const name = "node_modules/@esbuild/win32-x64";
  const { [name]: locked = {}, ...others } = packages;
  assert.is(missing(others).length, 1);
  assert.match(missing({ ...others, [name]: { ...locked, version: "0.0.1" } })[0] ?? "", "@esbuild/win32-x64");
  const { integrity: _, ...unsigned } = locked;
  assert.is(missing({ ...others, [name]: unsigned }).length, 1);
});

test("ranges are understood", () => {
  const accepted = ["1.2.3", "~1.2.3", "~1.2.0"];
  const refused = ["1.2.4", "~1.1.0", "~1.2.4", "~2.2.3"];
  assert.equal(
    [...accepted, ...refused].filter((range) => satisfies("1.2.3", range)),
    accepted,
  );
  assert.throws(() => satisfies("1.2.3", ">=1"), "does not know");
});

test("locks what package.json asks for", () => {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies }: Manifest = packages[""] ?? {};
  for (const [ours, locked] of [
    [manifest.dependencies, dependencies],
    [manifest.devDependencies, devDependencies],
    [manifest.optionalDependencies, optionalDependencies],
    [manifest.peerDependencies, peerDependencies],
  ])
    assert.equal(locked ?? {}, ours ?? {});
});

test("names no registry", () => {
  assert.not.match(text, '"resolved"');
});

test.run();
