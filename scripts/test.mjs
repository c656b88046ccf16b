// Runs every `*.test.ts` in a process of its own, as many at a time as there are cores, and ends with `N passed, N failed`.
// uvu alone exits 0 when a file forgets `.run()`, keeps a stray `.only`, matches no pattern or throws in a hook; here each of these fails.
// usage: npm test [-- PATTERN...]      a pattern is a part of a file's path; `*.slow.test.ts` runs only where one names it
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders = ["bin", "compiler", "runtime", "conformance", "examples", "scripts", "schemas"];
const reporter = join(root, "scripts/test-file.ts");

function testFiles(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : testFiles(path);
    return entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

/** Runs one file; resolves to its counts. A process that dies or reports nothing counts as one failure. */
function runFile(file) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", reporter, join(root, file)], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, UVU_DEFER: "1" },
    });
    let output = "";
    let counts;
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("message", (message) => (counts = message));
    child.on("close", (code, signal) => {
      const died = counts === undefined || (code !== 0 && counts.failed === 0);
      if (died) output += `\n  the test process ended early (${signal ?? `exit code ${code}`})\n`;
      resolve({ file, output, passed: counts?.passed ?? 0, failed: (counts?.failed ?? 0) + (died ? 1 : 0) });
    });
  });
}

function report({ file, output, passed, failed }) {
  console.log(`${failed ? "FAIL" : "ok  "} ${file} (${passed} passed${failed ? `, ${failed} failed` : ""})`);
  if (failed) console.log(output);
  // What this machine lacks for a test has to be seen.
  else for (const [line] of output.matchAll(/^skipped: .*$/gm)) console.log(`  ${line}`);
}

const patterns = process.argv.slice(2).map((pattern) => pattern.split(sep).join("/"));
const files = folders
  .flatMap(testFiles)
  .filter((file) =>
    patterns.length === 0 ? !file.endsWith(".slow.test.ts") : patterns.some((pattern) => file.includes(pattern)),
  );
if (files.length === 0) {
  console.log(`no test file matches ${patterns.map((p) => relative(root, p) || p).join(", ")}`);
  console.log("0 passed, 1 failed");
  process.exit(1);
}

let passed = 0;
let failed = 0;
async function worker() {
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    const result = await runFile(file);
    report(result);
    passed += result.passed;
    failed += result.failed;
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, worker));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
