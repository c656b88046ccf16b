// What `npm run pack` makes, as a stranger gets it: installed by npm into an empty project, with scripts on, and used from there.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { StepEvent } from "../runtime/index.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const test = suite<{ folder: string; project: string }>("packed");

/** Without what npm tells the scripts that it runs, such as this repository's settings. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(cache|registry|cafile)$)/i.test(name)),
);

/** The stdout of a command that succeeds. */
function run(cwd: string, command: string, ...args: readonly string[]): string {
  const shell = process.platform === "win32" && command === "npm";
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", env, shell });
  assert.is(status, 0, `${command} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** Runs the installed command. */
function ltxc({ folder, project }: { folder: string; project: string }, ...args: readonly string[]): string {
  const program = join(folder, "node_modules/ltxc/dist/ltxc.mjs");
  return run(project, process.execPath, program, ...args);
}

/** Compiles a program next to the installed packages. It may use ECMAScript and these packages: no types of Node.js or of browsers. */
function compileTypeScript(folder: string, name: string, program: string): void {
  writeFileSync(join(folder, name), program);
  const checks = { strict: true, skipLibCheck: false, types: [], lib: ["ES2023"], target: "ES2023" };
  const compilerOptions = { ...checks, module: "NodeNext", moduleResolution: "NodeNext" };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [name] }));
  run(folder, process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", ".");
}

/** Bytes of all files below a folder. */
function bytesOf(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesOf(path) : statSync(path).size);
  }, 0);
}

test.before((context) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "ltxc packed ")));
  Object.assign(context, { folder, project: join(folder, "my lora") });
  env["XDG_CACHE_HOME"] = join(folder, "cache");
  run(root, process.execPath, join(root, "scripts/setup.mjs"));
  run(root, process.execPath, join(root, "scripts/pack.mjs"), "--here", "--out", folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "stranger", private: true, type: "module" }));
  const tarballs = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  const settings = ["--ignore-scripts=false", "--no-audit", "--no-fund", "--prefer-offline"];
  run(folder, "npm", "install", ...settings, ...tarballs.map((name) => `./${name}`));
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

test("brings ONNX Runtime for this platform, koffi and esbuild, in less than 150 MB", ({ folder }) => {
  const lock = readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8");
  const { packages }: { packages: Record<string, { hasInstallScript?: boolean }> } = JSON.parse(lock);
  const here = `${process.platform}-${process.arch}`;
  const native = ["@esbuild/", "@koromix/koffi-", "@ltxc/onnxruntime-"].map((name) => `${name}${here}`);
  const expected = [...native, "esbuild", "koffi", "ltxc"].map((name) => `node_modules/${name}`);
  assert.equal(Object.keys(packages).toSorted(), expected);
  // A script of any other package could fetch from elsewhere than the registry. koffi's compiles where there is no binary for the platform.
  const withScripts = Object.keys(packages).filter((name) => packages[name]?.hasInstallScript === true);
  assert.equal(withScripts.toSorted(), ["node_modules/esbuild", "node_modules/koffi"]);
  const size = bytesOf(join(folder, "node_modules"));
  assert.ok(size < 150e6, `${(size / 1e6).toFixed(0)} MB`);
});

test("makes a project, compiles it, and trains it on each engine that needs nothing else", (context) => {
  ltxc({ ...context, project: context.folder }, "init", "my lora");
  assert.match(ltxc(context, "compile"), "build/inpainting.mjs");
  for (const engine of ["onnx", "wasm", "cpu"]) {
    const settings = [`runtime.engine=${engine}`, "optimization.steps=1", `output_dir=outputs/${engine}`];
    ltxc(context, "run", ...settings.flatMap((setting) => ["--set", setting]));
    const made = readdirSync(join(context.project, `outputs/${engine}/checkpoints`));
    assert.ok(made.includes("lora_weights_step_00001.safetensors"), made.join(", "));
  }
});

test("can be imported, with types that need nothing else", ({ folder }) => {
  const program = `
    import { compile, type Compiled } from "ltxc";
    import type { Shape } from "ltxc/contract";
    const compiled: Compiled = await compile({ path: "a.strategy", text: "strategy: a\\n" });
    const codes: readonly string[] = compiled.diagnostics.map(({ code }) => code);
    export const shape: Shape = [codes.length];
  `;
  compileTypeScript(folder, "use.ts", program);
  const print = 'import { shape } from "./use.js"; console.log(shape[0] > 0);';
  assert.is(run(folder, process.execPath, "--input-type=module", "-e", print), "true\n");
});

test("trains in a program that imports the runtime, with types that need nothing else", ({ folder, project }) => {
  const program = `
    import type { Step } from "ltxc/contract";
    import { openEngine, openRun, resolveConfig, train, type EngineName, type StepEvent } from "ltxc/runtime";

    export async function firstStep(name: EngineName, configDirectory: string, stepUrl: string): Promise<StepEvent> {
      const { config, findings } = resolveConfig(
        {
          model: { model_path: "models/tiny-ltx2.safetensors", training_mode: "lora" },
          lora: { rank: 8, alpha: 8, target_modules: ["attn1.to_q", "attn1.to_v"] },
          training_strategy: { name: "inpainting", mask_latents_dir: "mask_latents" },
          optimization: { steps: 1, batch_size: 2 },
          data: { preprocessed_data_root: "data" },
          validation: { interval: null },
          output_dir: "outputs/library/" + name,
          runtime: { engine: name },
        },
        { configDirectory },
      );
      if (config === null) throw new Error(findings.map(({ message }) => message).join());
      const step: Step = await import(stepUrl);
      const { engine } = await openEngine(config.runtime.engine, config.runtime);
      const { run, close } = await openRun(engine, config, step);
      const steps: StepEvent[] = [];
      await train(run, { onEvent: (event) => event.type === "step" && steps.push(event), signal: { aborted: false } });
      await close();
      const [event, ...others] = steps;
      if (event === undefined || others.length > 0) throw new Error("not one step, but " + steps.length);
      return event;
    }
  `;
  compileTypeScript(folder, "train.ts", program);
  const step = pathToFileURL(join(project, "build/inpainting.mjs")).href;
  const losses = ["onnx", "wasm", "cpu"].map((engine) => {
    const args = [engine, project, step].map((argument) => JSON.stringify(argument)).join();
    const print = `import { firstStep } from "./train.js"; console.log(JSON.stringify(await firstStep(${args})));`;
    const event: StepEvent = JSON.parse(run(folder, process.execPath, "--input-type=module", "-e", print));
    assert.is(event.globalStep, 1);
    const made = readdirSync(join(project, `outputs/library/${engine}/checkpoints`));
    assert.ok(made.includes("lora_weights_step_00001.safetensors"), made.join(", "));
    return event.loss;
  });
  // All start from the same weights with the same noise.
  assert.ok(Math.min(...losses) > 0 && Math.max(...losses) - Math.min(...losses) < 1e-5, losses.join(", "));
});

test.run();
