import type { Tensor } from "../../contract.ts";
import { CallLog, returnsList, type Argument, type OpName, type OpResult } from "./call-log.ts";
import { checkpointKey, runCheckpoint, type CallHandler, type CallScope } from "./call-scope.ts";
import { matchesPattern, patternOf } from "./call-pattern.ts";
import type { CallTree, CallTreeNode } from "./call-tree.ts";
import { ShapedTensor } from "./device-tensor.ts";
import type { TensorType } from "./recording.ts";
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
  /** Where the calls begin. */
  readonly #tree: CallTree;
  /** The node of the last call; null before the first. */
  #node: CallTreeNode | null = null;

  constructor(tree: CallTree) {
    this.#tree = tree;
  }

  /** Goes on to the node of a call. */
  enter(key: string): CallTreeNode {
    const node = (this.#node?.next ?? this.#tree).get(key);
    if (node === undefined) throw unknownCall;
    this.#node = node;
    return node;
  }

  call(op: OpName, args: readonly Argument[]): OpResult {
    const { log } = this;
    const { results } = this.#enterCall(op, args);
    if (returnsList.has(op)) return results.map((result) => named(log, result));
    return named(log, results[0] as TensorType);
  }

  /** To the node of the call that followed the last time, if this is the same; else the one that its text leads to. */
  #enterCall(op: OpName, args: readonly Argument[]): CallTreeNode {
    const { log } = this;
    const before = this.#node;
    const usual = before?.usual ?? null;
    if (usual !== null && matchesPattern(log, usual.pattern, op, args)) return (this.#node = usual.node);
    const known = log.tensors.length;
    const node = this.enter(log.describe(op, args));
    if (before !== null) before.usual = { pattern: patternOf(log, op, args, known), node };
    return node;
  }

  checkpoint: CallHandler["checkpoint"] = (f, given) => {
    this.enter(checkpointKey);
    return runCheckpoint(f, given);
  };
}

/** A tensor of its own for a result: the log tells tensors apart by identity. */
function named(log: CallLog, result: TensorType): Tensor {
  const tensor = new ShapedTensor(result);
  log.name(tensor);
  return tensor;
}
