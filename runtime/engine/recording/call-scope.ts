import type { Engine } from "../engine.ts";
import type { Argument, OpName, OpResult } from "./call-log.ts";

/** Answers the operations that a function calls. */
export interface CallHandler {
  call(op: OpName, args: readonly Argument[]): OpResult;
  checkpoint: Engine["checkpoint"];
}

/** Who answers the operations at the moment. */
export class CallScope {
  #handler: CallHandler | null = null;

  /** Null outside of `within`. */
  get handler(): CallHandler | null {
    return this.#handler;
  }

  /** Runs `f` with its operations answered by `handler`. */
  within<T>(handler: CallHandler, f: () => T): T {
    this.#handler = handler;
    try {
      return f();
    } finally {
      this.#handler = null;
    }
  }
}

/** `Engine.checkpoint` where nothing is recorded: outside of a function, or while its calls are compared with a recording. */
export const runCheckpoint: Engine["checkpoint"] = (f, { inputs, constants }) => f([...inputs, ...constants]);

/** The key of a call to `Engine.checkpoint`: the graph of a function differs with it, though its operations are the same. */
export const checkpointKey = "checkpoint";
