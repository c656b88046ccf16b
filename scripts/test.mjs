// Runs every `*.test.ts`, in as many processes at a time as there are cores, and ends with `N passed, N failed`.
// uvu alone exits 0 when a file forgets `.run()`, keeps a stray `.only`, matches no pattern or throws in a hook; here each of these fails.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const usage = `usage: npm test [-- [PATTERN...] [--changed[=REV]]]

Runs the test files. Without a pattern all of them, except \`*.slow.test.ts\`, which \`npm run test:slow\` runs.

PATTERN          a part of a file's path: only files that have one of them
--changed        only files that concern what has changed since this branch left the default branch, committed or not:
                 they import a changed file, directly or through others, or they read changed data. Of the tests that
                 call the command line only those whose command changed itself
--changed=REV    the same, since this branch left another revision, for example HEAD for what is not committed
--help           this text
`;

const root = fileURLToPath(new URL("..", import.meta.url));
const folders = ["bin", "compiler", "runtime", "conformance", "examples", "scripts", "schemas"];
const reporter = join(root, "scripts/test-file.ts");
/** Seconds that each file took the last time. Absent at first: then files run in the order of their paths. */
const timingsPath = join(root, "node_modules/.cache/ltxc/test-seconds.json");
const isSlow = (file) => file.endsWith(".slow.test.ts");

function testFiles(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : testFiles(path);
    return entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

/**
 * One process after another that runs files, each in turn: sharing the loaded modules halves the time of all tests. A process that ends early
 * counts as one failure of its file, and the next file gets a new one. Slow tests, which need memory for themselves, have a process each.
 */
class TestProcess {
  #child = null;
  #output = "";
  #onEnd = () => {};

  /** Runs one file; resolves to its counts. */
  async run(file) {
    if (isSlow(file)) this.close();
    const started = performance.now();
    const result = await this.#result(file);
    if (isSlow(file)) this.close();
    return { file, ...result, seconds: (performance.now() - started) / 1000 };
  }

  /** Ends the process, if there is one. */
  close() {
    this.#child?.disconnect();
    this.#child = null;
  }

  #result(file) {
    this.#output = "";
    this.#child ??= this.#start();
    const child = this.#child;
    return new Promise((resolve) => {
      this.#onEnd = (reason) => {
        this.#child = null;
        const output = `${this.#output}\n  the test process ended early (${reason})\n`;
        resolve({ output, passed: 0, failed: 1 });
      };
      child.once("message", (counts) => resolve({ output: this.#output, ...counts }));
      child.send(join(root, file));
    });
  }

  #start() {
    const child = spawn(process.execPath, ["--import", "tsx", reporter], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, UVU_DEFER: "1" },
    });
    child.stdout.on("data", (chunk) => (this.#output += chunk));
    child.stderr.on("data", (chunk) => (this.#output += chunk));
    child.on("close", (code, signal) => child === this.#child && this.#onEnd(signal ?? `exit code ${code}`));
    return child;
  }
}

function report({ file, output, passed, failed }) {
  console.log(`${failed ? "FAIL" : "ok  "} ${file} (${passed} passed${failed ? `, ${failed} failed` : ""})`);
  if (failed) console.log(output);
  // What this machine lacks for a test has to be seen.
  else for (const [line] of output.matchAll(/^skipped: .*$/gm)) console.log(`  ${line}`);
}

function knownSeconds() {
  try {
    return JSON.parse(readFileSync(timingsPath, "utf8"));
  } catch {
    return {};
  }
}

/** Longest first, so that no core waits at the end for a long file that started last. Files never timed come before all others. */
function longestFirst(files) {
  const known = knownSeconds();
  return files.toSorted((a, b) => (known[b] ?? Infinity) - (known[a] ?? Infinity) || 0);
}

function rememberSeconds(results) {
  const seconds = { ...knownSeconds(), ...Object.fromEntries(results.map(({ file, seconds }) => [file, seconds])) };
  mkdirSync(dirname(timingsPath), { recursive: true });
  writeFileSync(timingsPath, JSON.stringify(seconds));
}

function reportSlowest(results) {
  const slowest = results.toSorted((a, b) => b.seconds - a.seconds).slice(0, 10);
  console.log(`slowest of ${results.length} files:`);
  for (const { file, seconds } of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${file}`);
}

/** The command line as `{patterns, changed}`; `changed` is a revision, "" for the default branch, null without the option. */
function readArguments(args) {
  const options = args.filter((arg) => arg.startsWith("-"));
  if (options.includes("--help")) {
    console.log(usage);
    process.exit(0);
  }
  const unknown = options.find((option) => !/^--changed(=.+)?$/.test(option));
  if (unknown !== undefined) {
    console.error(`unknown option ${unknown}\n\n${usage}`);
    process.exit(2);
  }
  const patterns = args.filter((arg) => !arg.startsWith("-")).map((pattern) => pattern.split(sep).join("/"));
  return { patterns, changed: options.at(-1)?.slice("--changed=".length) ?? null };
}

/** Test files that concern the change since a revision, and those that it reaches only through the command line. */
function concerned(revision) {
  const args = ["--import", "tsx", join(root, "scripts/repository/concerned.ts"), ...(revision ? [revision] : [])];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status === 0) return JSON.parse(stdout);
  console.error(`what has changed since ${revision || "the default branch"} cannot be told:\n${stderr}`);
  process.exit(2);
}

/** The files to run, and nothing less: what is left out is said. */
function chooseFiles({ patterns, changed }) {
  const all = folders.flatMap(testFiles);
  const matching = all.filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)));
  const among = changed === null ? null : concerned(changed);
  const chosen = matching.filter((file) => among === null || among.files.includes(file));
  const files = patterns.length === 0 ? chosen.filter((file) => !isSlow(file)) : chosen;
  if (among === null) return files;
  const slow = chosen.filter((file) => !files.includes(file));
  console.log(`${files.length} of ${all.length} test files concern the change`);
  const { throughCommands } = among;
  if (throughCommands.length > 0)
    console.log(`left to \`npm test\`: ${throughCommands.length} that call the command line`);
  if (slow.length > 0) console.log(`left to \`npm run test:slow\`: ${slow.join(", ")}`);
  return files;
}

const chosen = readArguments(process.argv.slice(2));
const files = longestFirst(chooseFiles(chosen));
if (files.length === 0) {
  const { patterns, changed } = chosen;
  if (changed === null) console.log(`no test file matches ${patterns.map((p) => relative(root, p) || p).join(", ")}`);
  // A change that concerns no test is no mistake; a pattern that matches nothing is.
  const failed = changed === null ? 1 : 0;
  console.log(`0 passed, ${failed} failed`);
  process.exit(failed);
}

const results = [];
async function worker() {
  const process = new TestProcess();
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    const result = await process.run(file);
    report(result);
    results.push(result);
  }
  process.close();
}
await Promise.all(Array.from({ length: availableParallelism() }, worker));
rememberSeconds(results);
reportSlowest(results);
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
process.exit(sum("failed") > 0 || sum("passed") === 0 ? 1 : 0);
