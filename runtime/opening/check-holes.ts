import { openSafetensors, type SafetensorsFile } from "../files/safetensors/index.ts";
import { openFile } from "../files/read-bytes.ts";
import type { Finding } from "../findings.ts";

/** Weights that are looked at, evenly spread over the file, and how much of each. */
const [WEIGHTS, PIECE_BYTES] = [512, 1024];
/** A model may have a weight or two that were never trained; a hole is larger. */
const LEAST_SHARE = 0.01;

/**
 * Warns, LTX6255, of a checkpoint in which whole weights are zeros, as a download leaves them that reserves the file and does not end.
 * A file of nothing but zeros is made so, and the run itself says that nothing reaches the loss.
 * Errors: those of `openSafetensors`.
 */
export async function checkHoles(path: string): Promise<readonly Finding[]> {
  const file = await openSafetensors(path);
  const names = spread(weightsOf(file), WEIGHTS);
  await file.close();
  const zeros = await zerosAmong(file, names);
  const [first] = zeros;
  if (first === undefined || zeros.length < Math.max(2, LEAST_SHARE * names.length) || zeros.length === names.length)
    return [];
  const message = `${zeros.length} of ${names.length} weights that were looked at in ${path} are nothing but zeros, \`${first}\` is the first`;
  const help = "a download that did not end leaves such holes: compare the file's SHA-256 with the published one";
  return [{ code: "LTX6255", severity: "warning", path: ["model", "model_path"], message, help }];
}

/** Names of matrices that are large enough to look at, in the order of the file. */
function weightsOf({ tensors }: SafetensorsFile): readonly string[] {
  return [...tensors]
    .filter(([, { shape, start, end }]) => shape.length > 1 && end - start >= PIECE_BYTES)
    .map(([name]) => name);
}

/** At most `count` of the values, the first and the last among them. */
function spread<T>(values: readonly T[], count: number): readonly T[] {
  if (values.length <= count) return values;
  return Array.from({ length: count }, (_, i) => Math.round((i * (values.length - 1)) / (count - 1))).flatMap((place) =>
    values.slice(place, place + 1),
  );
}

/** Those whose middle is zeros. */
async function zerosAmong({ path, tensors }: SafetensorsFile, names: readonly string[]): Promise<readonly string[]> {
  const file = await openFile(path);
  const piece = Buffer.alloc(PIECE_BYTES);
  const zeros: string[] = [];
  try {
    for (const name of names) {
      const { start = 0, end = 0 } = tensors.get(name) ?? {};
      const middle = start + Math.floor((end - start - PIECE_BYTES) / 2);
      if ((await file.readInto(piece, middle)).every((byte) => byte === 0)) zeros.push(name);
    }
  } finally {
    file.close();
  }
  return zeros;
}
