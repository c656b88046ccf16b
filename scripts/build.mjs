// Bundles the command line into dist/. Code splitting keeps start-up small: each command, and each heavy package, is a chunk of its own
// that is read when it is needed. Packages are bundled (reading one file is faster than finding hundreds), except those below.
import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { licensesOf } from "./licenses.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A native program of its own, for each platform. All else that is native is not imported but found: see `runtimeFolder`. */
const external = ["esbuild"];

/** Bundled CommonJS packages ask for Node's modules with `require`, and look for files in `__dirname`; an ES module has neither. */
const banner = `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url), __dirname = require("node:url").fileURLToPath(new URL(".", import.meta.url));`;

/** tfjs looks for these next to the code of its wasm backend. */
const wasmFolder = `${root}node_modules/@tensorflow/tfjs-backend-wasm/dist/`;

/** The package `yaml` asks the environment at every token whether to print it, which takes a fifth of its time: here it is given an empty one. */
const quietYaml = {
  name: "quiet-yaml",
  setup(build) {
    build.onResolve({ filter: /^process$/ }, ({ importer }) =>
      /[\\/]node_modules[\\/]yaml[\\/]/.test(importer) ? { path: "process", namespace: "quiet-yaml" } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "quiet-yaml" }, () => ({
      contents: "exports.env = {}; exports.emitWarning = (...all) => globalThis.process.emitWarning(...all);",
    }));
  },
};

rmSync(`${root}dist`, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    ltxc: "bin/ltxc.ts",
    compiler: "compiler/index.ts",
    runtime: "runtime/index.ts",
    "onnx-worker": "runtime/engine/onnx/worker.ts",
    "torch-worker": "runtime/engine/torch/worker.ts",
  },
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
  plugins: [quietYaml],
  logLevel: "warning",
});
for (const name of readdirSync(wasmFolder).filter((file) => file.endsWith(".wasm")))
  copyFileSync(`${wasmFolder}${name}`, `${root}dist/${name}`);
writeFileSync(`${root}dist/LICENSES.txt`, licensesOf(Object.keys(metafile.inputs)));

// What depends on the whole program, such as what it keeps on disk, goes by this name.
const hash = createHash("sha256");
for (const file of Object.keys(metafile.outputs).toSorted()) hash.update(readFileSync(`${root}${file}`));
writeFileSync(`${root}dist/build-id.txt`, hash.digest("hex").slice(0, 16));
