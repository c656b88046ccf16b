/**
 * The train step against PyTorch on the same machine: same weights, same inputs, same mathematics; PyTorch 2 with fused attention. All
 * sides run in turns, each in a process of its own. Arguments: size, sides, rounds, steps, device; small, all of ours, 2, 4 and cpu if
 * left away. On `cuda`, PyTorch also runs with each block compiled; memory is then what its allocator held, and not known of ours.
 * Our sides, separated by `+`: `onnx`, `torch` (both float32), `torch-bf16`, and other engines by name.
 *
 * Aims, as ratios to PyTorch's bf16: `torch-bf16` at most 0.75 of the time of small and 0.70 of real, and 0.70 of the memory.
 */
import { sizes } from "./pytorch/sizes.ts";
import { findPython, resultOf, withSides, type Result, type Side } from "./pytorch/sides.ts";

const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
function report(sides: readonly Side[], results: ReadonlyMap<Side, readonly Result[]>): void {
  const of = (side: Side) => results.get(side) ?? [];
  const time = (side: Side) => median(of(side).flatMap(({ milliseconds }) => milliseconds));
  const memory = (side: Side) => median(of(side).map(({ peakMiB }) => peakMiB));
  for (const side of sides) console.log(`  ${side.name}: ${time(side).toFixed(0)} ms, ${memory(side).toFixed(0)} MiB`);
  for (const ours of sides.filter(({ isOurs }) => isOurs))
    for (const theirs of sides.filter(({ isOurs }) => !isOurs)) {
      const [mine, other] = [of(ours)[0]?.losses ?? [], of(theirs)[0]?.losses ?? []];
      const difference = Math.max(...mine.map((loss, i) => Math.abs(loss / (other[i] ?? NaN) - 1)));
      const ratios = `time ${(time(ours) / time(theirs)).toFixed(2)}, memory ${(memory(ours) / memory(theirs)).toFixed(2)}`;
      console.log(
        `  ${ours.name} / ${theirs.name}: ${ratios}; losses differ by at most ${difference.toExponential(1)} of their size`,
      );
    }
}

const [name = "small", names = "onnx+torch+torch-bf16", rounds = "2", steps = "4", device = "cpu"] =
  process.argv.slice(2);
const size = sizes[name];
const python = findPython();
if (size === undefined) throw new Error(`no size ${name}: ${Object.keys(sizes).join(", ")}`);
if ("reason" in python) console.log(`skipped: ${python.reason}`);
else
  await withSides({ name, size, names, steps, python: python.path, device }, (ours, theirs) => {
    const sides = [...ours, ...theirs];
    const results = new Map<Side, Result[]>(sides.map((side) => [side, []]));
    for (let round = 0; round < Number(rounds); round++)
      for (const side of sides) results.get(side)?.push(resultOf(side.run()));
    console.log(`\nOne step of ${name}, PyTorch ${python.torch}, ${rounds} rounds of ${steps} steps`);
    report(sides, results);
  });
