// Makes a fresh clone ready: installs the locked packages and builds `dist/` when either is missing or older than its sources.
// Plain JavaScript on Node's own modules, because it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
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

function isInstalled() {
  const marker = join(root, "node_modules/.package-lock.json");
  return existsSync(marker) && newest(marker) >= newest(join(root, "package-lock.json"));
}

function isBuilt() {
  const bundle = join(root, "dist/ltxc.mjs");
  const sources = ["bin", "compiler", "runtime", "schemas", "examples", "scripts", "package.json"];
  return existsSync(bundle) && newest(bundle) >= Math.max(...sources.map((name) => newest(join(root, name))));
}

if (!isInstalled()) {
  console.error("setup: installing packages (once; a minute or less)");
  // Not `npm ci`: it refuses a lock file that lacks optional packages of other platforms, which a registry need not carry.
  run("npm", ["install", "--no-save", "--no-fund", "--no-audit", "--ignore-scripts=false"]);
}
if (!isBuilt()) run(process.execPath, [join(root, "scripts/build.mjs")]);
