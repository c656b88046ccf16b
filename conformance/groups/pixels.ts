import type { HostTensor, ScaleFactors } from "../../runtime/contract.ts";
import { FindingsError } from "../../runtime/findings.ts";
import { toBytes } from "../../runtime/media/pixels/bytes.ts";
import {
  chooseBucket,
  parseBuckets,
  placeIn,
  scaleBuckets,
  subsampledFrames,
  type Bucket,
} from "../../runtime/media/pixels/buckets.ts";
import { fitToBucket, type Frames } from "../../runtime/media/pixels/fit.ts";
import { audioMask, videoMask } from "../../runtime/media/pixels/masks.ts";
import { readScaleFactors } from "../../runtime/model/scale-factors.ts";
import { golden, type GoldenTensor, type Replay } from "../case.ts";
import { declared } from "../checks.ts";
import { keys, limits } from "../known.ts";

/** Cases of this group are told apart by their operation. */
export const replay: Replay = async (replayed, engine) => {
  const operation = String(replayed.manifest["operation"]);
  const own = operations[operation];
  return own === undefined ? [`the operation ${operation} is not known`] : own(replayed, engine);
};

const tolerance = limits("default");
const inputs = /^in\./;

const resizeCrop = declared(
  { manifest: { operation: true, targets: true, tolerance }, inputs },
  ({ manifest, tensors }, checks) => {
    for (const [name, [frames, height, width]] of Object.entries<[number, number, number]>(manifest["targets"])) {
      const made = fitToBucket(framesOf(golden(tensors, name)), { frames, height, width });
      checks.compare(name.replace("in.", "out."), made, manifest["tolerance"].default);
    }
  },
);

const bucketChoice = declared(
  {
    manifest: {
      ...keys("operation", "buckets"),
      items: keys("frames", "height", "width", "bucket", "resize_to_hw", "crop_top_left"),
    },
  },
  ({ manifest }, checks) => {
    const buckets = (manifest["buckets"] as Triple[]).map(bucketOf);
    for (const [i, item] of (manifest["items"] as BucketItem[]).entries()) {
      const chosen = chooseBucket(buckets, item);
      checks.same(`the bucket of item ${i}`, chosen && tripleOf(chosen), item.bucket);
      if (chosen === null || item.bucket === null) continue;
      const { rows, columns, top, left } = placeIn(chosen, item);
      checks.same(`the size of item ${i}`, [rows, columns], item.resize_to_hw);
      checks.same(`the crop of item ${i}`, [top, left], item.crop_top_left);
    }
  },
);

type Triple = readonly [frames: number, height: number, width: number];
interface BucketItem extends Bucket {
  readonly bucket: Triple | null;
  readonly resize_to_hw?: readonly number[];
  readonly crop_top_left?: readonly number[];
}

const bucketOf = ([frames, height, width]: Triple): Bucket => ({ frames, height, width });
const tripleOf = ({ frames, height, width }: Bucket): Triple => [frames, height, width];
const factorsOf = ([time, height, width]: Triple): ScaleFactors => ({ time, height, width });

const parse = declared(
  {
    manifest: {
      operation: true,
      items: keys("kind", "text", "scale_factors", "buckets", "factor", "frames", "vae", "result", "raises"),
    },
  },
  ({ manifest }, checks) => {
    for (const [i, item] of (manifest["items"] as ParseItem[]).entries())
      checks.same(`item ${i} (${item.kind})`, parsed(item), expected(item));
  },
);

type ParseItem = { readonly raises: string | null; readonly result: unknown } & (
  | { readonly kind: "buckets"; readonly text: string; readonly scale_factors: Triple }
  | { readonly kind: "scaled"; readonly buckets: Triple[]; readonly factor: number; readonly scale_factors: Triple }
  | { readonly kind: "subsample"; readonly frames: number; readonly factor: number }
  | { readonly kind: "scale_factors"; readonly vae: unknown }
);

/** A file without a VAE has the usual factors in the official code; here it is refused, and the file of the VAE asked for. */
const expected = (item: ParseItem): unknown =>
  item.raises !== null || (item.kind === "scale_factors" && item.vae === null) ? "refused" : item.result;

function parsed(item: ParseItem): unknown {
  switch (item.kind) {
    case "buckets":
      return listed(parseBuckets(item.text, factorsOf(item.scale_factors)));
    case "scaled":
      return listed(scaleBuckets(item.buckets.map(bucketOf), item.factor, factorsOf(item.scale_factors)));
    case "subsample": {
      const frames = subsampledFrames(item.frames, item.factor);
      return "problem" in frames ? "refused" : frames;
    }
    case "scale_factors":
      return scaleFactors(item.vae);
    default:
      throw new Error(`the kind ${(item as { kind: string }).kind} is not known`);
  }
}

const listed = (made: ReturnType<typeof parseBuckets>): unknown => ("problem" in made ? "refused" : made.map(tripleOf));

function scaleFactors(vae: unknown): unknown {
  try {
    const { time, height, width } = readScaleFactors({ vae }, "the case", []);
    return [time, height, width];
  } catch (error) {
    if (error instanceof FindingsError) return "refused";
    throw error;
  }
}

const masks = declared(
  { manifest: { ...keys("operation", "scale_factors", "latent", "kinds"), tolerance }, inputs },
  ({ manifest, tensors }, checks) => {
    for (const [name, latent] of Object.entries<Triple>(manifest["latent"])) {
      const [frames, height, width] = latent;
      const isImage = manifest["kinds"][name] === "image";
      const given = golden(tensors, name);
      const clip = framesOf(isImage ? { ...given, shape: [1, ...given.shape] } : given);
      const mask = videoMask(clip, isImage, { frames, height, width }, factorsOf(manifest["scale_factors"]));
      checks.compare(name.replace("in.", "out.mask."), mask, "exact");
    }
  },
);

const audioMasks = declared(
  { manifest: { ...keys("operation", "latent", "kinds"), tolerance }, inputs },
  ({ manifest, tensors }, checks) => {
    for (const [name, steps] of Object.entries<number>(manifest["latent"])) {
      const given = golden(tensors, name);
      const samples = manifest["kinds"][name] === "wave" ? loudness(given) : given.data;
      const mask = audioMask(samples, steps);
      checks.compare(name.replace("in.", "out.mask."), { shape: [steps], data: mask }, "exact");
    }
  },
);

/** Absolute values, averaged over channels. */
function loudness({ shape: [channels = 1, length = 0], data }: GoldenTensor): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += Math.abs(data[c * length + i] ?? 0);
    return sum / channels;
  });
}

const toUint8 = declared({ manifest: { operation: true, tolerance }, inputs }, ({ tensors }, checks) => {
  for (const [name, given] of tensors) {
    if (!name.startsWith("in.")) continue;
    const [, frames = 0, rows = 0, columns = 0] = given.shape;
    const size = rows * columns;
    const bytes = Array.from({ length: frames }, (_, t) => {
      const frame = Float32Array.from({ length: 3 * size }, (_, i) => {
        const [c, at] = [Math.floor(i / size), i % size];
        return given.data[(c * frames + t) * size + at] ?? NaN;
      });
      return [...toBytes(frame, "truncated")];
    });
    const made: Pick<HostTensor, "shape"> = { shape: [frames, rows, columns, 3] };
    checks.compare(name.replace("in.", "out."), { ...made, data: bytes.flat() }, "exact");
  }
});

const operations: Readonly<Record<string, Replay>> = {
  resize_crop: resizeCrop,
  bucket_choice: bucketChoice,
  parse,
  mask: masks,
  audio_mask: audioMasks,
  to_uint8: toUint8,
};

/** Stored bytes `[F, 3, H, W]` as frames `[H, W, 3]`. */
function framesOf({ shape, data }: Pick<GoldenTensor, "shape" | "data">): Frames {
  const [count = 0, , height = 0, width = 0] = shape;
  const size = height * width;
  const frames = Array.from({ length: count }, (_, t) =>
    Uint8Array.from({ length: 3 * size }, (_, i) => data[(3 * t + (i % 3)) * size + Math.floor(i / 3)] ?? 0),
  );
  return { height, width, frames };
}
