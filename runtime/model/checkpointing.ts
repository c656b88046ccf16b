import type { Ops, Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import type { BlockState, Streams } from "./block.ts";

/** How blocks are run whose inner values are computed again in the backward pass. */
export interface Checkpointing {
  readonly run: Engine["checkpoint"];
  /** The tensors below a block's prefix that are trained. */
  parametersOf(prefix: string): readonly Tensor[];
  /** Whether anything before the blocks is trained, so that gradients have to reach what all blocks share. */
  readonly isSharedTrained: boolean;
}

/** Runs `compute`, one block, by way of its one result: the states of both streams behind each other. */
export function checkpointedBlock(
  ops: Ops,
  { run, parametersOf, isSharedTrained }: Checkpointing,
  prefix: string,
  { streams, state }: { readonly streams: Streams; readonly state: BlockState },
  compute: (streams: Streams, state: BlockState) => BlockState,
): BlockState {
  const parts = { state, streams };
  const [ofState, all] = [new Set(tensorsIn(state)), tensorsIn(parts)];
  const isInput = (x: Tensor) => ofState.has(x) || (isSharedTrained && x.dtype === "float32");
  const [inputs, constants] = [all.filter(isInput), all.filter((x) => !isInput(x))];
  // Where a tensor occurs twice, its first place counts.
  const places = new Map<Tensor, number>();
  [...inputs, ...constants].forEach((x, i) => places.set(x, places.get(x) ?? i));
  const order = all.map((x) => places.get(x) ?? -1);
  const f = (given: readonly Tensor[]) => {
    const again = refilled(
      parts,
      order.map((i) => given[i] as Tensor),
    );
    return pack(ops, compute(again.streams, again.state));
  };
  return unpack(ops, run(f, { inputs, constants, parameters: parametersOf(prefix) }), state);
}

function pack(ops: Ops, { video, audio }: BlockState): Tensor {
  if (video === null || audio === null) return (video ?? audio) as Tensor;
  return ops.concat(
    [video, audio].map((x) => ops.reshape(x, [-1])),
    0,
  );
}

function unpack(ops: Ops, packed: Tensor, { video, audio }: BlockState): BlockState {
  if (video === null) return { video, audio: packed };
  if (audio === null) return { video: packed, audio };
  const size = video.shape.reduce((a, b) => a * b, 1);
  return {
    video: ops.reshape(ops.slice(packed, [0], [size]), video.shape),
    audio: ops.reshape(ops.slice(packed, [size], [-1]), audio.shape),
  };
}

const isTensor = (x: object): x is Tensor => "shape" in x && "dtype" in x;

/** All tensors of nested records and lists, in a fixed order. */
function tensorsIn(x: unknown): Tensor[] {
  if (typeof x !== "object" || x === null) return [];
  return isTensor(x) ? [x] : Object.values(x).flatMap(tensorsIn);
}

/** The same with other tensors in their places. */
function refilled<T>(x: T, tensors: readonly Tensor[]): T {
  const rest = tensors.values();
  const fill = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (isTensor(value)) return rest.next().value;
    if (Array.isArray(value)) return value.map(fill);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
  };
  return fill(x) as T;
}
