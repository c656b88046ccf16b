/** Calls `ltxc plan` for tests. */
import * as assert from "uvu/assert";
import { ltxc } from "./testing.ts";

/** Parts of what `ltxc plan --json` prints that tests look at. */
interface Json {
  readonly engine: { readonly name: string; readonly provider: string; readonly precision: string };
  readonly fits: boolean;
  readonly residentBytes: number;
  readonly plan: { readonly largest: Part; readonly commonest: Part };
  readonly steps: number;
  readonly secondsPerStep: number;
  readonly secondsOfStep: { readonly products: number; readonly moving: number; readonly calls: number };
  readonly recordingSeconds: number;
  readonly runSeconds: number;
  readonly alternatives: readonly { readonly settings: readonly string[]; readonly residentBytes: number }[];
}

interface Part {
  readonly memory: Readonly<Record<string, number>>;
  readonly tokens: number;
}

/** The plan of the project in `folder` with these settings, as for `--set`. */
export async function planned(folder: string, ...set: readonly string[]): Promise<Json> {
  const { out, code } = await ltxc(["plan", "--json", ...set.flatMap((text) => ["--set", text])], { cwd: folder });
  assert.is(code, 0);
  return JSON.parse(out) as Json;
}

/** "5.7 MiB" and "13 ms" in bytes and seconds, and by how much its last digit can be off. */
function amount(text: string): { readonly value: number; readonly off: number } {
  const units: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, ms: 1e-3, s: 1 };
  const [, digits = "", unit = ""] = /^([\d.]+) (\w+)$/.exec(text) ?? [];
  const scale = units[unit];
  if (scale === undefined) throw new Error(`no amount: ${text}`);
  const decimals = digits.split(".")[1]?.length ?? 0;
  return { value: Number(digits) * scale, off: (0.5 * scale) / 10 ** decimals };
}

function expectSum(total: string, parts: readonly string[]): void {
  const [whole, amounts] = [amount(total), parts.map(amount)];
  const sum = amounts.reduce((all, { value }) => all + value, 0);
  const off = amounts.reduce((all, part) => all + part.off, whole.off);
  assert.ok(Math.abs(sum - whole.value) <= off * 1.001, `${parts.join(" + ")} is not ${total}`);
}

/** Whether the parts of a plan add up to what it says in all: exactly as JSON, as far as its digits tell in the text. */
export async function expectSums(folder: string, set: readonly string[]): Promise<void> {
  expectExactSums(await planned(folder, ...set));
  const { out } = await ltxc(["plan", ...set.flatMap((text) => ["--set", text])], { cwd: folder });
  const [, total = "", parts = ""] = /^ {2}memory +about (.*?) \((.*)\)$/m.exec(out) ?? [];
  const sizes = [...parts.matchAll(/[\d.]+ \w+$|[\d.]+ \w+(?=,)/g)].map(([size]) => size);
  assert.is(sizes.length, 7, parts);
  expectSum(total, sizes);
  const step = /^ {2}time +about (.*?) a step \(products (.*?) for .*?, other operations (.*?) for .*, calls (.*?)\)$/m;
  const [, ofStep = "", ...partsOfStep] = step.exec(out) ?? [];
  expectSum(ofStep, partsOfStep);
  const run = /about (.*?) for \d+ steps \(recording them (.*?), the first time only; steps (.*?)\)$/m;
  const [, ofRun = "", ...partsOfRun] = run.exec(out) ?? [];
  expectSum(ofRun, partsOfRun);
}

function expectExactSums({ plan, residentBytes, secondsOfStep, secondsPerStep, ...run }: Json): void {
  assert.is(
    Object.values(plan.largest.memory).reduce((a, b) => a + b),
    residentBytes,
  );
  const { products, moving, calls } = secondsOfStep;
  assert.is(products + moving + calls, secondsPerStep);
  assert.ok(run.recordingSeconds > 1);
  assert.is(run.recordingSeconds + run.steps * secondsPerStep, run.runSeconds);
}
