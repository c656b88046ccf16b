/**
 * What an import may reach, as a plugin of esbuild: files below the project's root, and the packages that its package.json names. The
 * same holds within a package: files of its own, and the packages that it names itself. Nothing is looked up by a URL.
 */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { refusedForm, type Refusal } from "../2-check/rules/import-paths.ts";
import { isWithin } from "../source/project-root.ts";

/** The types of the step contract: there is nothing in it that could be called. */
const contract = "ltxc/contract";

/** Files that belong together: the project, or a package. */
interface Unit {
  readonly folder: string;
  /** Null for the project. */
  readonly name: string | null;
  readonly packages: ReadonlySet<string>;
}

export interface Reach {
  /** Where the relative paths of the generated module start; need not exist. */
  readonly root: string;
  /** Root of the strategy's project. */
  readonly project: string;
}

/** Imported files are bundled whole. */
const MAX_BYTES = 16 * 2 ** 20;

export function importRules({ root, project }: Reach): Plugin {
  return {
    name: "import-rules",
    setup(build) {
      const own = unitAt(project, null);
      const units = new Map<string, Unit>();
      build.onResolve({ filter: /./ }, async (args) => {
        if (args.kind === "entry-point" || args.pluginData === "resolving") return undefined;
        if (args.path === contract) return { path: contract, namespace: "types" };
        const from = units.get(args.importer);
        const at =
          from === undefined
            ? placeInModule(args.path, { root, project })
            : { path: args.path, folder: args.resolveDir };
        return judge(build, { ...args, ...at }, from ?? own, units);
      });
      build.onLoad({ filter: /./, namespace: "types" }, () => ({ contents: "export {};", loader: "js" }));
    },
  };
}

/**
 * Where an import of the generated module is looked for. Its relative paths start at `root`, which need not exist; those of esbuild
 * start at a folder that does. A path is absolute where that of the strategy is, as it was named; one that a strategy imports itself was
 * refused before. Packages are those of the project.
 */
function placeInModule(path: string, { root, project }: Reach): { readonly path: string; readonly folder: string } {
  if (!isRelative(path) && !isAbsolute(path)) return { path, folder: project };
  const target = resolve(root, path);
  return { path: `./${basename(target)}`, folder: dirname(target) };
}

type Asked = OnResolveArgs & { readonly folder: string };

async function judge(
  build: PluginBuild,
  { path, folder, kind }: Asked,
  unit: Unit,
  units: Map<string, Unit>,
): Promise<OnResolveResult> {
  const reached = isRelative(path) ? unit : reachedBy(path, folder, unit);
  if ("code" in reached) return refuse(reached);
  const found = await build.resolve(path, { kind, resolveDir: folder, pluginData: "resolving" });
  if (found.errors.length > 0) return { errors: [{ text: found.errors[0]?.text ?? "" }] };
  if (!isWithin(reached.folder, found.path)) return refuse(outside(path, reached));
  const unfit = unfitFile(found.path);
  if (unfit !== null) return refuse({ code: "LTX6507", message: `\`${path}\` ${unfit}`, help: "import another file" });
  units.set(found.path, reached);
  return { path: found.path, sideEffects: found.sideEffects };
}

const refuse = (refusal: Refusal): OnResolveResult => ({ errors: [{ text: refusal.message, detail: refusal }] });

const isRelative = (path: string): boolean => /^\.{1,2}([\\/]|$)/.test(path);

function outside(path: string, { name }: Unit): Refusal {
  const message = `\`${path}\` leads out of the ${name === null ? "project" : `package \`${name}\``}, perhaps through a link`;
  return { code: "LTX2010", message, help: name === null ? stayInside : "import another package" };
}

const stayInside =
  "copy the file into the project's folder: the nearest one upward from the strategy with a package.json, a .git or a train.yaml";

/** What a path that is not relative leads to. */
function reachedBy(path: string, folder: string, unit: Unit): Unit | Refusal {
  const refused = refusedForm(path);
  if (refused !== null) return refused;
  if (path.startsWith("#")) return unit;
  const name = /^(?:@[^/]*\/)?[^/]*/.exec(path)?.[0] ?? path;
  if (name === unit.name) return unit;
  if (!unit.packages.has(name)) return notNamed(path, name, unit);
  const found = packageFrom(folder, name);
  if (found !== null) return unitAt(found, name);
  return { code: "LTX2011", message: `the package \`${name}\` is not installed`, help: "`npm install`" };
}

function notNamed(path: string, name: string, unit: Unit): Refusal {
  const code = "LTX2011";
  // It may be written without `node:`, and a package may have its name.
  const inNode = builtinModules.includes(name) ? refusedForm(`node:${path}`) : null;
  if (inNode !== null) return inNode;
  const whose = unit.name === null ? "the project" : `the package \`${unit.name}\``;
  return {
    code,
    message: `\`${name}\` is no package that the package.json of ${whose} names`,
    help: `for a file write \`./${path}\`; for a package \`npm install ${name}\` in the project's folder`,
  };
}

/** The folder of an installed package, found upward as Node.js does. */
function packageFrom(folder: string, name: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    const found = join(at, "node_modules", name);
    if (manifestOf(found) !== null) return realpathSync(found);
    if (at === dirname(at)) return null;
  }
}

function unitAt(folder: string, name: string | null): Unit {
  const manifest = manifestOf(folder) ?? {};
  // What serves only a package's own development is not installed with it.
  const lists = [
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    ...(name === null ? ["devDependencies"] : []),
  ];
  const namesIn = (list: unknown) => (typeof list === "object" && list !== null ? Object.keys(list) : []);
  return { folder, name, packages: new Set(lists.flatMap((key) => namesIn(manifest[key]))) };
}

/** What a folder's package.json says; null where there is none, or none that can be read. */
function manifestOf(folder: string): Readonly<Record<string, unknown>> | null {
  const path = join(folder, "package.json");
  if (unfitFile(path) !== null) return null;
  try {
    const read: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof read === "object" && read !== null ? (read as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

/** Why a file cannot be read whole; null if it can. */
function unfitFile(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return "is missing";
  if (!found.isFile()) return "is no regular file";
  return found.size > MAX_BYTES ? "is larger than 16 MB" : null;
}
