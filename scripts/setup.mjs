// Makes a fresh clone ready: installs the locked packages and builds `dist/` when they are missing or older than what they are made from.
// Plain JavaScript on Node's own modules, because it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Newest modification time (ms) of the files below `path` that are not tests. */
function newest(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function run(command, args) {
  // npm prints progress on stdout; here it belongs beside the result, not in it.
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (done.status !== 0) {
    console.error(`setup: \`${command} ${args.join(" ")}\` failed${done.error ? `: ${done.error.message}` : ""}`);
    process.exit(done.status ?? 1);
  }
}

/** Whether what the lock file names is there; more may be, which the user added. Not by times: git sets them anew. */
function isInstalled() {
  const packagesOf = (path) => JSON.parse(readFileSync(join(root, path), "utf8")).packages;
  if (!existsSync(join(root, "node_modules/.package-lock.json"))) return false;
  const { "": _, ...locked } = packagesOf("package-lock.json");
  const installed = packagesOf("node_modules/.package-lock.json");
  return Object.entries(locked).every(([folder, { version, optional = false }]) =>
    folder in installed ? installed[folder].version === version : optional,
  );
}

function isBuilt() {
  const bundle = join(root, "dist/ltxc.mjs");
  const sources = ["bin", "compiler", "runtime", "schemas", "examples", "scripts", "package.json"];
  return existsSync(bundle) && newest(bundle) >= Math.max(...sources.map((name) => newest(join(root, name))));
}

if (!isInstalled()) {
  console.error("setup: installing packages (once; a minute or less)");
  run("npm", ["ci"]);
}
if (!isBuilt()) run(process.execPath, [join(root, "scripts/build.mjs")]);
