// Bundles the command line into dist/. Code splitting keeps start-up small: each command, and each heavy package, is a chunk of its own
// that is read when it is needed. Packages are bundled (reading one file is faster than finding hundreds), except those below.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** esbuild, TensorFlow.js and ONNX Runtime bring native or WebAssembly files that they look for beside themselves. */
const external = ["esbuild", "@tensorflow/*", "onnxruntime-node"];

/** Bundled CommonJS packages ask for Node's modules with `require`, which an ES module does not have. */
const banner = `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);`;

rmSync(`${root}dist`, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { ltxc: "bin/ltxc.ts", "onnx-worker": "runtime/engine/onnx/worker.ts" },
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: "linked",
  sourcesContent: false,
  metafile: true,
  external,
  banner: { js: banner },
  logLevel: "warning",
});
writeFileSync(
  `${root}dist/LICENSES.txt`,
  Object.keys(metafile.inputs).flatMap(packageOf).filter(isFirst).map(licenseOf).join("\n\n"),
);

// What depends on the whole program, such as what it keeps on disk, goes by this name.
const hash = createHash("sha256");
for (const file of Object.keys(metafile.outputs).toSorted()) hash.update(readFileSync(`${root}${file}`));
writeFileSync(`${root}dist/build-id.txt`, hash.digest("hex").slice(0, 16));

/** The package's folder that a bundled file belongs to, if it is not ours. */
function packageOf(file) {
  const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file);
  return found === null ? [] : [found[1]];
}

function isFirst(value, index, all) {
  return all.indexOf(value) === index;
}

/** What a bundled package asks to be kept with copies of it. */
function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${root}${folder}/package.json`, "utf8"));
  const file = readdirSync(`${root}${folder}`).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${file === undefined ? "" : readFileSync(`${root}${folder}/${file}`, "utf8")}`;
}
