/**
 * What bfloat16 changes in the loss of a training: ours against our float32, and PyTorch's own, in two ways, against its float32, from the
 * same weights, on the same inputs (aim: ours no further away than PyTorch's, by more than chance). The losses of a run hang together, so
 * one run says little: weights and inputs are drawn by several seeds. Arguments: size, steps and how many seeds; tiny, 200 and 5 if left away.
 */
import { findPython, resultOf, titles, withSides } from "./pytorch/sides.ts";
import { sizes } from "./pytorch/sizes.ts";

const [name = "tiny", steps = "200", seeds = "5"] = process.argv.slice(2);

/** How far losses are from those of float32, as a part of these, by the root of their mean square. */
function apart(losses: readonly number[], exact: readonly number[]): number {
  const parts = losses.map((loss, i) => loss / (exact[i] ?? NaN) - 1);
  return Math.sqrt(parts.reduce((sum, x) => sum + x * x, 0) / parts.length);
}

const narrow = ["bf16", "base"] as const;
/** Of each way of PyTorch's, by seed: the logarithm of how many times as far away ours is. */
const ratios: Record<(typeof narrow)[number], number[]> = { bf16: [], base: [] };

async function compare(seed: number, python: string): Promise<void> {
  const size = sizes[name];
  if (size === undefined) throw new Error(`no size ${name}: ${Object.keys(sizes).join(", ")}`);
  const asked = { name, size, names: "torch+torch-bf16", steps, python, device: "cpu", seed };
  await withSides({ ...asked, kinds: ["f32", ...narrow] }, (ours, theirs) => {
    const [wide = [], low = []] = ours.map((side) => resultOf(side.run()).losses);
    const [theirWide = [], ...theirLow] = theirs.map((side) => resultOf(side.run()).losses);
    const own = apart(low, wide);
    const parts = narrow.map((kind, i) => {
      const other = apart(theirLow[i] ?? [], theirWide);
      ratios[kind].push(Math.log(own / other));
      return `${titles[kind]} ${other.toExponential(1)} (ratio ${(own / other).toFixed(2)})`;
    });
    const same = `float32 of both ${apart(wide, theirWide).toExponential(1)}`;
    console.log(`  seed ${seed}: ours ${own.toExponential(1)}, ${parts.join(", ")}, ${same}`);
  });
}

/** The mean of logarithms, and its standard error. */
function meanOf(logs: readonly number[]): readonly [mean: number, error: number] {
  const mean = logs.reduce((a, b) => a + b, 0) / logs.length;
  const variance = logs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (logs.length - 1);
  return [mean, Math.sqrt(variance / logs.length)];
}

const python = findPython();
if ("reason" in python) console.log(`skipped: ${python.reason}`);
else {
  console.log(
    `\n${steps} steps of ${name}, PyTorch ${python.torch}: root mean square of how far losses are from float32`,
  );
  for (let seed = 1; seed <= Number(seeds); seed++) await compare(seed, python.path);
  for (const kind of narrow) {
    const [mean, error] = meanOf(ratios[kind]);
    const [low, high] = [mean - 2 * error, mean + 2 * error].map((x) => Math.exp(x).toFixed(2));
    console.log(
      `  ours to ${titles[kind]}: ${Math.exp(mean).toFixed(2)} times, within two standard errors ${low} to ${high}`,
    );
    if (mean - 2 * error > 0) process.exitCode = 1;
  }
}
