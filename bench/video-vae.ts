/**
 * Encoding and decoding a clip against PyTorch on the same machine: the same weights and convolutions, all sides in turns, each in a process of its own, in
 * float32. Arguments: engines, rounds, frames, and the side of the square pictures; onnx+torch, 2, 33 and 128 if left away.
 * Aim: at most 1.0 of PyTorch's time on both engines.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tinyVae, writeTinyVae } from "../runtime/testing/tiny-vae.ts";
import { findPython } from "./pytorch/sides.ts";

/** The blocks of LTX-2.3, a quarter as wide: 32 channels to 256. */
const config = {
  ...tinyVae,
  latent_channels: 32,
  decoder_base_channels: 32,
  encoder_blocks: [
    ["res_x", { num_layers: 4 }],
    ["compress_space_res", { multiplier: 2 }],
    ["res_x", { num_layers: 6 }],
    ["compress_time_res", { multiplier: 2 }],
    ["res_x", { num_layers: 4 }],
    ["compress_all_res", { multiplier: 2 }],
    ["res_x", { num_layers: 2 }],
    ["compress_all_res", { multiplier: 1 }],
    ["res_x", { num_layers: 2 }],
  ],
  decoder_blocks: [
    ["res_x", { num_layers: 4 }],
    ["compress_space", { multiplier: 2 }],
    ["res_x", { num_layers: 6 }],
    ["compress_time", { multiplier: 2 }],
    ["res_x", { num_layers: 4 }],
    ["compress_all", { multiplier: 1 }],
    ["res_x", { num_layers: 2 }],
    ["compress_all", { multiplier: 2 }],
    ["res_x", { num_layers: 2 }],
  ],
};

interface Turn {
  readonly encode: number;
  readonly decode: number;
  readonly sizes: readonly number[];
  readonly flops?: readonly number[];
}

/** The first turn of a process records, and warms up. */
const turnsOf = (output: string): Turn[] =>
  output
    .trim()
    .split("\n")
    .map((line): Turn => JSON.parse(line))
    .slice(1);

const inFolder = (name: string) => fileURLToPath(new URL(`./video-vae/${name}`, import.meta.url));
const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;

function report(results: ReadonlyMap<string, readonly Turn[]>): void {
  const theirs = results.get("PyTorch") ?? [];
  const flops = theirs[0]?.flops ?? [];
  for (const [name, turns] of results)
    for (const [i, part] of (["encode", "decode"] as const).entries()) {
      const [seconds, other] = [turns, theirs].map((list) => median(list.map((turn) => turn[part])));
      const ratio = (seconds ?? NaN) / (other ?? NaN);
      const rate = (flops[i] ?? NaN) / (seconds ?? NaN) / 1e9;
      const difference = Math.abs((turns[0]?.sizes[i] ?? NaN) / (theirs[0]?.sizes[i] ?? NaN) - 1);
      console.log(
        `  ${part}, ${name}: ${seconds?.toFixed(2)} s, ${rate.toFixed(0)} GFLOP/s, ratio ${ratio.toFixed(2)}; mean size differs by ${difference.toExponential(1)}`,
      );
    }
}

const [engines = "onnx+torch", rounds = "2", frames = "33", side = "128"] = process.argv.slice(2);
const python = findPython();
if ("reason" in python) console.log(`skipped: ${python.reason}`);
else {
  const folder = mkdtempSync(join(tmpdir(), "ltxc-vae-"));
  try {
    const vae = join(folder, "vae.safetensors");
    await writeTinyVae(vae, { prefix: "", config });
    const clip = [vae, frames, side, side, "2"];
    const sides = new Map<string, () => string>([
      ["PyTorch", () => execFileSync(python.path, [inFolder("twin.py"), ...clip], { encoding: "utf8" })],
      ...engines.split("+").map((engine): [string, () => string] => {
        const args = ["--import", "tsx", inFolder("ours.ts"), ...clip, engine, python.path];
        return [engine, () => execFileSync(process.execPath, args, { encoding: "utf8" })];
      }),
    ]);
    const results = new Map([...sides.keys()].map((name): [string, Turn[]] => [name, []]));
    for (let round = 0; round < Number(rounds); round++)
      for (const [name, run] of sides) results.get(name)?.push(...turnsOf(run()));
    console.log(
      `\nA clip of ${frames} frames, ${side} x ${side}; PyTorch ${python.torch}, ${rounds} rounds of 2 turns`,
    );
    report(results);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
