/** What the engine and the thread that computes for it say to each other. Values live there, under numbers given here. */
import type { HostTensor } from "../../contract.ts";
import type { ProviderOptions } from "./session-options.ts";

/** Places in memory that both sides share: whether the thread is in a request, and whether it may begin another. */
export const [BUSY, STOPPED] = [0, 1];

/** A value of the thread, by its number, or one that is sent along. */
export type Feed = number | HostTensor;

/** What a thread is started with. */
export interface ThreadData extends ProviderOptions {
  readonly flags: Int32Array;
}

export type Request =
  | { readonly type: "upload"; readonly id: number; readonly value: HostTensor }
  | { readonly type: "open"; readonly session: number; readonly model: Uint8Array }
  /** One feed per input of the graph, one new number per output. */
  | {
      readonly type: "run";
      readonly session: number;
      readonly feeds: readonly Feed[];
      readonly outputs: readonly number[];
    }
  | { readonly type: "read"; readonly id: number; readonly request: number }
  | { readonly type: "free"; readonly ids: readonly number[] }
  | { readonly type: "close"; readonly session: number };

export type Reply =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly message: string }
  /** The graph can run; `seconds` from the request on. */
  | { readonly type: "opened"; readonly session: number; readonly seconds: number }
  /** It has run on another provider than the CPU, but for so many operations, by operator. */
  | { readonly type: "placed"; readonly session: number; readonly onCpu: Readonly<Record<string, number>> }
  | { readonly type: "value"; readonly request: number; readonly value: HostTensor }
  /** `session`: the graph that failed; null where it was none. */
  | { readonly type: "error"; readonly request: number; readonly message: string; readonly session: number | null };
