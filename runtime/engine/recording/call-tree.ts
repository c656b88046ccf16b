import type { CallPattern } from "./call-pattern.ts";
import type { Call, OpenRecording, SavedRecording, TensorType } from "./recording.ts";

/**
 * All recorded functions as a tree of their calls: functions share the nodes of the calls with which they begin, and branch at the
 * first call in which they differ. The map's key is that of the first call.
 */
export type CallTree = Map<string, CallTreeNode>;

export interface CallTreeNode {
  /** The calls that may follow. */
  readonly next: CallTree;
  /** What the call returns: one, but for operations that return a list. */
  readonly results: readonly TensorType[];
  /** The call that followed the last time, and its node; null before. */
  usual: { readonly pattern: CallPattern; readonly node: CallTreeNode } | null;
  /** Of a node that returns from its function: the recording, if it is open. */
  recording: OpenRecording | null;
  /** The recording of an earlier process, until it is opened. */
  saved: SavedRecording | null;
}

/** The node at which the calls end; missing nodes are added. Throws if there are no calls. */
export function lastNodeOf(tree: CallTree, calls: readonly Call[]): CallTreeNode {
  let nodes = tree;
  let last: CallTreeNode | null = null;
  for (const { key, shape, dtype, others = [] } of calls) {
    const results = [{ shape, dtype }, ...others];
    last = nodes.get(key) ?? { next: new Map(), results, usual: null, recording: null, saved: null };
    nodes.set(key, last);
    nodes = last.next;
  }
  if (last === null) throw new Error("a recorded function has no calls");
  return last;
}
