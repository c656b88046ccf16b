// Runs test files in this process: imports each, runs what it registered with uvu, and sends `{passed, failed}` to the parent.
// With a path as argument it runs that file alone; without, one after another the files whose paths the parent sends.
import { pathToFileURL } from "node:url";

/** What uvu's `.run()` leaves in the queue: resolves to [error text or true, passed, skipped, registered]. */
type Suite = () => Promise<[string | true, number, number, number]>;
const uvu = globalThis as unknown as { UVU_DEFER: number; UVU_QUEUE: Suite[][]; UVU_INDEX: number };

async function runSuite(suite: Suite): Promise<{ passed: number; failed: number }> {
  const [errors, passed, skipped, registered] = await suite();
  if (errors !== true) console.log(errors);
  // `.only` shows up as skipped tests, a throwing hook as tests that never ran: both are failures here.
  const missing = registered - passed;
  const empty = registered === 0 ? 1 : 0;
  if (skipped > 0) console.log(`  ${skipped} tests were skipped (\`.only\` or \`.skip\`)`);
  if (empty) console.log("  a suite without tests");
  return { passed, failed: missing + empty + skipped };
}

async function runFile(file: string): Promise<{ passed: number; failed: number }> {
  const suites: Suite[] = [];
  Object.assign(uvu, { UVU_DEFER: 1, UVU_QUEUE: [suites], UVU_INDEX: 0 });
  await import(pathToFileURL(file).href);
  const total = { passed: 0, failed: 0 };
  for (const suite of suites) {
    const counts = await runSuite(suite);
    total.passed += counts.passed;
    total.failed += counts.failed;
  }
  if (suites.length === 0) {
    console.log("  no suite was run: `test.run()` is missing at the end of the file");
    total.failed += 1;
  }
  return total;
}

const single = process.argv[2];
if (single !== undefined) {
  const counts = await runFile(single);
  const exit = () => process.exit(counts.failed > 0 ? 1 : 0);
  if (process.send) process.send(counts, exit);
  else exit();
} else {
  process.on("message", (file: string) => void runFile(file).then((counts) => process.send?.(counts)));
}
