import { PtTensor, type PtStorage, type Refuse } from "./value.ts";

/** A tensor that repeats few numbers by stride 0 may not grow beyond this when it is made contiguous. */
const MAX_REPEATED = 2 ** 24;

interface Arguments {
  readonly offset: unknown;
  readonly shape: unknown;
  readonly stride: unknown;
  readonly requiresGrad: unknown;
}

/** A tensor whose every element lies within its storage. Errors: FindingsError LTX6113 (too large), LTX6114 (out of bounds). */
export function rebuildTensor(
  storage: PtStorage,
  { offset, shape, stride, requiresGrad }: Arguments,
  refuse: Refuse,
): PtTensor {
  if (!isCount(offset) || !isCounts(shape) || !isCounts(stride) || shape.length !== stride.length) {
    return refuse("LTX6114", "a tensor has no sound shape, stride or offset");
  }
  const count = shape.reduce((product, size) => product * size, 1);
  if (count > Math.max(storage.length, MAX_REPEATED)) {
    return refuse(
      "LTX6113",
      `a tensor [${shape.join(", ")}] repeats a storage of ${storage.length} elements too often`,
    );
  }
  const last = shape.reduce((at, size, axis) => at + (size - 1) * (stride[axis] ?? 0), offset);
  if (count > 0 && last >= storage.length) {
    const reach = `reaches element ${last} of a storage of ${storage.length}`;
    return refuse("LTX6114", `a tensor [${shape.join(", ")}] ${reach}`);
  }
  return new PtTensor(storage, [...shape], [...stride], offset, requiresGrad === true);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length <= 64 && value.every(isCount);
}
