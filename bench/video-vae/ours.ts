/** Our side, as `ltxc encode` and `ltxc decode` compute. Arguments: the VAE's file, the clip's sizes, repeats, the engine, and the Python of PyTorch. */
import { openEngine } from "../../runtime/engine/index.ts";
import type { EngineName } from "../../runtime/engine/engine.ts";
import { openDecoder } from "../../runtime/media/decode-files.ts";
import { openEncoder } from "../../runtime/media/encode-clip.ts";
import { cut } from "../../runtime/media/vae/cut.ts";
import { encodePieces, framesOfLatent, stacked } from "../../runtime/media/vae/encode-tiles.ts";
import { usualTiling } from "../../runtime/media/vae/tiles.ts";

const [path = "", ...others] = process.argv.slice(2);
const [frames = 0, height = 0, width = 0, repeats = 0] = others.map(Number);
const [name = "onnx", torch = null] = others.slice(4);
const { engine } = await openEngine(name as EngineName, { torch, precision: "float32" });
const [encoder, decoder] = [await openEncoder(engine, path), await openDecoder(engine, path)];
const data = Float32Array.from({ length: 3 * frames * height * width }, (_, i) => Math.sin(i * 0.37));
const clip = { shape: [3, frames, height, width], dtype: "float32", data } as const;
const whole = { y: { start: 0, end: height }, x: { start: 0, end: width } };
const meanSize = (sum: number, count: number) => sum / count;

for (let i = 0; i <= repeats; i++) {
  const began = performance.now();
  const pieces = encodePieces(engine, encoder);
  const made: Float32Array[] = [];
  for (let start = 0, end = 1; start < frames; start = end, end += encoder.scaleFactors.time)
    made.push(...framesOfLatent(await pieces.encode(cut(clip, { start, end }, whole.y, whole.x))));
  pieces.dispose();
  const latent = stacked(made, [height / encoder.scaleFactors.height, width / encoder.scaleFactors.width]);
  const encoded = performance.now();
  let [sum, count] = [0, 0];
  for await (const some of decoder.frames(latent, usualTiling))
    for (const frame of some) {
      for (const x of frame) sum += Math.abs(x);
      count += frame.length;
    }
  const ended = performance.now();
  let ofLatent = 0;
  for (const x of latent.data) ofLatent += Math.abs(x);
  const sizes = [meanSize(ofLatent, latent.data.length), meanSize(sum, count)];
  console.log(JSON.stringify({ encode: (encoded - began) / 1000, decode: (ended - encoded) / 1000, sizes }));
}
process.exit(0);
