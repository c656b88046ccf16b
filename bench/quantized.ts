/**
 * What a quantized base changes of the loss, in bfloat16 on the engine `torch` (aim: the mean within 1 % of that without), with the project of
 * `ltxc init` and with the small model of `bench/pytorch`. Needs PyTorch. Arguments: steps (200), methods (int8+fp8+int4), projects (tiny+small).
 */
import { rm } from "node:fs/promises";
import { events } from "./foretold-and-taken.ts";
import { largeProject } from "./large-project.ts";
import { sizes } from "./pytorch/sizes.ts";
import { useTorch } from "./use-torch.ts";
import { project } from "../bin/testing/testing.ts";

const [steps = "200", methods = "int8+fp8+int4", names = "tiny+small"] = process.argv.slice(2);
await useTorch();

const settings = { steps: Number(steps), interval: "null", rank: 16, alpha: 16 };
const { heads, headDim, layers, frames } = sizes["small"] as (typeof sizes)[string];
const projects: Readonly<Record<string, () => Promise<string>>> = {
  tiny: () => project(settings, "text_to_video"),
  small: () => largeProject({ heads, headDim, layers, grid: [frames, 8, 8] }, settings),
};

function losses(folder: string, quantization: string): readonly number[] {
  const chosen = ["runtime.engine=torch", "runtime.provider=cpu", `acceleration.quantization=${quantization}`];
  const set = [...chosen, "acceleration.mixed_precision_mode=bf16"].flatMap((setting) => ["--set", setting]);
  return events(folder, "run", ...set, "--overwrite").flatMap(({ type, loss }) =>
    type === "step" ? [loss as number] : [],
  );
}

const mean = (list: readonly number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
const change = (to: readonly number[], from: readonly number[]) =>
  `${(100 * (mean(to) / mean(from) - 1)).toFixed(2)} %`;

for (const name of names.split("+")) {
  const folder = await (projects[name] as () => Promise<string>)();
  try {
    const exact = losses(folder, "null");
    console.log(
      `\n${name}, ${exact.length} steps, mean loss ${mean(exact).toFixed(4)}, of the last 50 ${mean(exact.slice(-50)).toFixed(4)}`,
    );
    for (const method of methods.split("+")) {
      const rounded = losses(folder, `${method}-quanto`);
      console.log(
        `  ${method}-quanto: ${change(rounded, exact)}, of the last 50 ${change(rounded.slice(-50), exact.slice(-50))}`,
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
