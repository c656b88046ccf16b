import type { Tensor } from "../../contract.ts";
import type { Graph } from "../../graph/graph.ts";

/** Shape and type of a tensor, without its value. */
export type TensorType = Pick<Tensor, "shape" | "dtype">;

/** What feeds an input of a graph: an entry of one of the three lists of a `CallLog`. */
export interface InputSource {
  readonly kind: "tensor" | "host" | "number";
  readonly index: number;
}

/** What is known of a recorded function besides its graph; valid in any process. */
export interface Recording {
  /** One per input of the graph. */
  readonly inputs: readonly InputSource[];
  /** The numbers of the call log that are constants of the graph; null for those that are inputs. */
  readonly numbers: readonly (number | null)[];
  readonly outputs: readonly TensorType[];
  /**
   * One per parameter: whether the loss depends on it. The gradients of those that it depends on are outputs of the graph, after
   * the results of the function.
   */
  readonly hasGradient: readonly boolean[];
  /** Of the matrix products that the function asks for (`modelFlops`). */
  readonly flops: number;
}

/** A recording whose graph is open on the device. */
export interface OpenRecording extends Recording {
  readonly session: number;
}

/** A call as its log describes it, and what it returns. */
export interface Call extends TensorType {
  readonly key: string;
  /** The second result and those after it, if the operation returns a list. */
  readonly others?: readonly TensorType[];
}

/** A recording that an earlier process saved. */
export interface SavedRecording {
  /** All calls of the function in order; the first starts the function, the last one returns from it. */
  readonly calls: readonly Call[];
  readonly recording: Recording;
  /** Reads the graph; null if the file can not be read any more. */
  graph(): Graph | null;
}

/** The numbers of the log, by index, that differ from the graph's constants. */
export function changedNumbers({ numbers }: Recording, logged: readonly number[]): number[] {
  return logged.flatMap((x, i) => {
    const constant = numbers[i];
    return constant === null || Object.is(constant, x) ? [] : [i];
  });
}

/** The numbers of the log, by index, that are inputs of the graph. */
export function fedNumbers({ numbers }: Recording): number[] {
  return numbers.flatMap((x, i) => (x === null ? [i] : []));
}
