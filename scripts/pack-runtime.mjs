// One package of ONNX Runtime for each platform, made from onnxruntime-node. That one brings the binaries of all platforms, 245 MB that
// a user does not need, and a script that downloads more from outside the registry while npm installs it.
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { licensesOf } from "./licenses.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = "node_modules/onnxruntime-node";
const binaries = `${root}${source}/bin/napi-v6`;

/** Platforms that ONNX Runtime has binaries for, as `{ os, cpu }` in the words of Node and npm. */
export const platforms = readdirSync(binaries).flatMap((os) =>
  readdirSync(`${binaries}/${os}`).map((cpu) => ({ os, cpu })),
);

/** The name by which `runtimeFolder` finds it. */
export function runtimeName({ os, cpu }) {
  return `@ltxc/onnxruntime-${os}-${cpu}`;
}

/** Writes the package's files into `folder`, under the paths that they have in onnxruntime-node, so that either can be used. */
export async function stageRuntime(platform, folder, version) {
  const { os, cpu } = platform;
  const binaryFolder = `bin/napi-v6/${os}/${cpu}`;
  cpSync(`${binaries}/${os}/${cpu}`, `${folder}/${binaryFolder}`, { recursive: true });
  const inputs = await bundleRuntime(platform, folder);
  writeFileSync(`${folder}/LICENSES.txt`, licensesOf(inputs));
  writeFileSync(`${folder}/package.json`, `${JSON.stringify(manifestOf(platform, version), null, 2)}\n`);
  const binding = `${binaryFolder}/onnxruntime_binding.node`;
  const code = readFileSync(`${folder}/dist/index.js`, "utf8");
  if (!existsSync(`${folder}/${binding}`) || !code.includes(`"../${binding}"`))
    throw new Error(`${runtimeName(platform)} does not find ${binding}`);
}

function manifestOf({ os, cpu }, version) {
  const { version: runtime, license } = JSON.parse(readFileSync(`${root}${source}/package.json`, "utf8"));
  const description = `ONNX Runtime ${runtime} for ltxc on ${os} ${cpu}`;
  const main = "dist/index.js";
  return { name: runtimeName({ os, cpu }), version, description, license, main, os: [os], cpu: [cpu] };
}

/** Its code with all that it needs, as one file for each entry; returns the paths of what they were made from. */
async function bundleRuntime({ os, cpu }, folder) {
  const entryPoints = { "dist/index": `${source}/dist/index.js` };
  if (canInstallMore(os, cpu)) entryPoints["script/install"] = `${source}/script/install.js`;
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: folder,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    minifySyntax: true,
    // With these the path of the binary is a constant, which `external` keeps; otherwise esbuild would bundle every platform's.
    define: { "process.platform": JSON.stringify(os), "process.arch": JSON.stringify(cpu) },
    external: ["*.node"],
    metafile: true,
    logLevel: "warning",
  });
  return Object.keys(metafile.inputs);
}

/** Whether `ltxc install` can fetch more there, by onnxruntime-node's own script. */
function canInstallMore(os, cpu) {
  const { requirements } = createRequire(import.meta.url)("onnxruntime-node/script/install-metadata.js");
  return (requirements[`${os}/${cpu}`] ?? []).length > 0;
}
