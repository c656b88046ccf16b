import type { Tensor } from "../../contract.ts";
import { CallLog, returnsList, type Argument, type OpName, type OpResult } from "./call-log.ts";
import { checkpointKey, runCheckpoint, type CallHandler, type CallScope } from "./call-scope.ts";
import type { CallTree, CallTreeNode } from "./call-tree.ts";
import { returnKey, startKey, type Task } from "./task.ts";

/** A run of a function whose calls were all recorded before. */
interface Match<T> {
  readonly log: CallLog;
  /** What the function returned; the tensors in it have a shape and a type, and no value yet. */
  readonly result: T;
  /** The node of the tree that returns the result. */
  readonly node: CallTreeNode;
}

/** Thrown through a function to leave it at a call that was not recorded. */
const unknownCall = Symbol("unknown call");

/**
 * Runs a function without computing anything: each call is looked up in the tree and answered with a tensor of the recorded shape and
 * type. Null if the function makes a call that was not recorded, or fails.
 */
export function matchCalls<T>(task: Task<T>, tree: CallTree, scope: CallScope): Match<T> | null {
  const matcher = new CallMatcher(tree);
  try {
    matcher.enter(startKey(task, matcher.log));
    const result = scope.within(matcher, () => task.body());
    return { log: matcher.log, result, node: matcher.enter(returnKey(result, matcher.log)) };
  } catch {
    // Also where the function fails by itself, on recorded shapes that are wrong: recording it shows whether it fails without them.
    return null;
  }
}

class CallMatcher implements CallHandler {
  readonly log = new CallLog();
  #next: CallTree;

  constructor(tree: CallTree) {
    this.#next = tree;
  }

  /** Goes on to the node of a call. */
  enter(key: string): CallTreeNode {
    const node = this.#next.get(key);
    if (node === undefined) throw unknownCall;
    this.#next = node.next;
    return node;
  }

  call(op: OpName, args: readonly Argument[]): OpResult {
    const { results } = this.enter(this.log.describe(op, args));
    // Objects of their own: the log tells tensors apart by identity.
    const tensors = results.map((result): Tensor => ({ ...result }));
    for (const tensor of tensors) this.log.name(tensor);
    return returnsList.has(op) ? tensors : (tensors[0] as Tensor);
  }

  checkpoint: CallHandler["checkpoint"] = (f, given) => {
    this.enter(checkpointKey);
    return runCheckpoint(f, given);
  };
}
