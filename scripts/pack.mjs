// Makes what is published: ltxc, and ONNX Runtime for each platform, as tarballs that npm installs.
// usage: npm run pack [-- --here] [--out DIR]      --here: of ONNX Runtime only this platform's; DIR is dist-pack/ if not given
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { platforms, runtimeName, stageRuntime } from "./pack-runtime.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({ options: { here: { type: "boolean" }, out: { type: "string" } } });
const out = resolve(values.out ?? join(root, "dist-pack"));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const isHere = ({ os, cpu }) => os === process.platform && cpu === process.arch;

mkdirSync(out, { recursive: true });
await pack(stageMain);
for (const platform of values.here ? platforms.filter(isHere) : platforms)
  await pack((folder) => stageRuntime(platform, folder, manifest.version));

/** The files of `files` and their types, with a manifest that asks for ONNX Runtime in place of what only developers need. */
function stageMain(folder) {
  const { private: _, scripts: __, devDependencies: ___, ...rest } = manifest;
  const runtimes = Object.fromEntries(platforms.map((at) => [runtimeName(at), manifest.version]));
  const optionalDependencies = { ...manifest.optionalDependencies, ...runtimes };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ ...rest, optionalDependencies }, null, 2)}\n`);
  for (const path of ["README.md", ...manifest.files])
    cpSync(join(root, path), join(folder, path), { recursive: true });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const project = join(root, "tsconfig.types.json");
  run(process.execPath, [tsc, "-p", project, "--outDir", join(folder, "dist/types")]);
}

/** Packs what `stage` writes into the folder that it is given. */
async function pack(stage) {
  const folder = mkdtempSync(join(tmpdir(), "ltxc-pack-"));
  try {
    await stage(folder);
    const name = run("npm", ["pack", "--silent", "--pack-destination", out], folder).trim();
    console.log(`${join(out, name)} (${(statSync(join(out, name)).size / 1e6).toFixed(1)} MB)`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command, args, cwd = root) {
  // There npm is a script of the shell, which takes spaces for the ends of words.
  const shell = process.platform === "win32" && command === "npm";
  const words = shell ? args.map((word) => `"${word}"`) : args;
  const done = spawnSync(command, words, { cwd, encoding: "utf8", shell, stdio: ["ignore", "pipe", 2] });
  if (done.status !== 0)
    throw new Error(`\`${command} ${args.join(" ")}\` failed: ${done.error?.message ?? done.stdout}`);
  return done.stdout;
}
