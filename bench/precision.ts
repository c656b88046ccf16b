/**
 * What bfloat16 changes in the loss of a training: ours against our float32, and PyTorch's own against its float32, from the same weights,
 * on the same inputs (aim: ours no further away than PyTorch's). Arguments: size and steps; tiny and 200 if left away.
 */
import { sizes } from "./pytorch/sizes.ts";
import { findPython, resultOf, withSides } from "./pytorch/sides.ts";

const [name = "tiny", steps = "200"] = process.argv.slice(2);

/** How far losses are from those of float32, as a part of these: at most, and by their root mean square. */
function apart(losses: readonly number[], exact: readonly number[]): readonly [most: number, usual: number] {
  const parts = losses.map((loss, i) => Math.abs(loss / (exact[i] ?? NaN) - 1));
  return [Math.max(...parts), Math.sqrt(parts.reduce((sum, x) => sum + x * x, 0) / parts.length)];
}

const size = sizes[name];
const python = findPython();
if (size === undefined) throw new Error(`no size ${name}: ${Object.keys(sizes).join(", ")}`);
if ("reason" in python) console.log(`skipped: ${python.reason}`);
else
  await withSides(
    { name, size, names: "torch+torch-bf16", steps, python: python.path, device: "cpu" },
    (ours, theirs) => {
      const [wide, narrow] = ours.map((side) => resultOf(side.run()).losses);
      const [theirWide, theirNarrow] = ["PyTorch f32", "PyTorch bf16, autocast"].map((title) => {
        const side = theirs.find((each) => each.name === title);
        return side === undefined ? [] : resultOf(side.run()).losses;
      });
      const show = (title: string, losses: readonly number[] = [], exact: readonly number[] = []) => {
        const [most, usual] = apart(losses, exact);
        console.log(
          `  ${title}: at most ${most.toExponential(1)} of the loss, ${usual.toExponential(1)} root mean square`,
        );
      };
      console.log(
        `\n${steps} steps of ${name}, PyTorch ${python.torch}, loss ${wide?.[0]?.toFixed(3)} to ${wide?.at(-1)?.toFixed(3)}`,
      );
      show("our bfloat16 from our float32", narrow, wide);
      show("PyTorch's bfloat16 from its float32", theirNarrow, theirWide);
      show("our float32 from PyTorch's", wide, theirWide);
      if (apart(narrow ?? [], wide ?? [])[1] > apart(theirNarrow ?? [], theirWide ?? [])[1]) process.exitCode = 1;
    },
  );
