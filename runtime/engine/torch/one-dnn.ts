import { Dispatcher, int, ints, none, tensor, type Argument } from "./dispatch.ts";
import { TorchError, type Handle, type Torch } from "./library.ts";

/** The operator that convolves with oneDNN. */
export const ONE_DNN = "mkldnn_convolution";

/**
 * Its arguments: stride 1, one group.
 * @param operands x, the weight, and an optional bias
 * @param zeros how many stand around each axis of the kernel
 */
export function oneDnnArguments(
  [x = none, weight = none, bias = none]: readonly Argument[],
  zeros: readonly number[],
): Argument[] {
  const ones = ints(zeros.map(() => 1));
  return [x, weight, bias, ints(zeros), ones, ones, int(1)];
}

const known = new WeakMap<Torch, boolean>();

/** Whether this build of the library has oneDNN, which builds for x86 do: one cell is convolved with it, once for each library. */
export function hasOneDnn(torch: Torch): boolean {
  const found = known.get(torch) ?? (torch.device === "cpu" && convolvesOne(torch));
  known.set(torch, found);
  return found;
}

function convolvesOne(torch: Torch): boolean {
  const call = new Dispatcher(torch).prepare(ONE_DNN, "", oneDnnArguments([tensor(0), tensor(0)], [0, 0, 0]), {
    results: [1],
  });
  const slots = new Float64Array(2);
  try {
    slots[0] = torch.upload(new Uint8Array(4), [1, 1, 1, 1, 1], "float32");
    call(slots);
    return true;
  } catch (error) {
    if (error instanceof TorchError) return false;
    throw error;
  } finally {
    for (const x of slots as Iterable<Handle>) if (x !== 0) torch.drop(x);
  }
}
