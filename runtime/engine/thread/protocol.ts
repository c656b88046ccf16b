/** The messages between the main thread and the thread that computes. Values live there, under ids that the main thread gives. */
import type { HostTensor, Shape } from "../../contract.ts";
import type { Feed } from "../recording/device.ts";

/** Indices into flags that both threads share: 1 while a request is carried out, and 1 once no other may begin. */
export const [BUSY, STOPPED] = [0, 1];

/** What every such thread is started with. */
export interface ThreadData {
  readonly flags: Int32Array;
}

export type Request =
  | { readonly type: "upload"; readonly id: number; readonly value: HostTensor }
  /** Float32 zeros, which take memory of the thread alone. */
  | { readonly type: "zeros"; readonly id: number; readonly shape: Shape }
  /** `graph` is in the form that the thread's library opens; `files` are those that its weights are mapped from. */
  | {
      readonly type: "open";
      readonly session: number;
      readonly graph: unknown;
      readonly files: readonly string[];
    }
  /** One feed per input of the graph, one new id per output. */
  | {
      readonly type: "run";
      readonly session: number;
      readonly feeds: readonly Feed[];
      readonly outputs: readonly number[];
    }
  | { readonly type: "read"; readonly id: number; readonly request: number }
  | { readonly type: "free"; readonly ids: readonly number[] }
  | { readonly type: "close"; readonly session: number }
  | { readonly type: "offload"; readonly isOn: boolean };

export type Reply =
  /** `about`: what the library computes with, in words for the user; empty if there is nothing to say. */
  | { readonly type: "ready"; readonly about: string }
  | { readonly type: "failed"; readonly message: string }
  /** The graph can run; opening it took this many seconds. */
  | { readonly type: "opened"; readonly session: number; readonly seconds: number }
  /** The graph has run once on a provider other than the CPU; `onCpu` counts, by operator, what ran on the CPU nevertheless. */
  | { readonly type: "placed"; readonly session: number; readonly onCpu: Readonly<Record<string, number>> }
  | { readonly type: "value"; readonly request: number; readonly value: HostTensor }
  /** `session`: whose graph failed; null where no graph did. */
  | { readonly type: "error"; readonly request: number; readonly message: string; readonly session: number | null };
