import type { HostTensor, Shape } from "../../contract.ts";
import type { Graph } from "../../graph/graph.ts";

/**
 * Runs recorded graphs. It works like a GPU: requests are carried out in order, and only `read` waits for them. An error does not
 * surface at its request; it rejects every `read` of a value that depends on it.
 */
export interface Device {
  /** Returns the id of the uploaded value. */
  upload(value: HostTensor): number;
  /** Returns the id of a float32 value of zeros. */
  zeros(shape: Shape): number;
  /** Prepares a graph and returns the id of its session. */
  open(graph: Graph, listener?: OpenListener): number;
  /** Runs a session's graph with one feed per input. Returns the ids of its outputs. */
  run(session: number, feeds: readonly Feed[], outputs: number): number[];
  read(id: number): Promise<HostTensor>;
  free(id: number): void;
  close(session: number): void;
  /** Whether graphs that are opened from now on leave the weights of blocks on the host until they are needed; only some devices can. */
  offload?(isOn: boolean): void;
  /** Calls `listener` with the reason right before the device ends the process; only devices that map files have it. */
  onFault?(listener: (fault: DeviceFault) => void): void;
}

/** The id of a value on the device, or a value that is sent along. */
export type Feed = number | HostTensor;

/** Learns what becomes of a graph that was opened. */
export interface OpenListener {
  /** The graph can run; opening it took this many seconds. */
  onOpened(seconds: number): void;
  /**
   * The graph has run once on a provider other than the CPU. `onCpu` counts the operations that nevertheless ran on the CPU, by
   * operator.
   */
  onPlaced(onCpu: Readonly<Record<string, number>>): void;
}

/** Why mapped memory can not be read any more. */
export interface DeviceFault {
  /** Says which file was changed; null where none was. */
  readonly change: string | null;
  /** The mapped files. */
  readonly files: readonly string[];
}

/** The device has come to its end, with all values on it. */
export class DeviceEndedError extends Error {}

/** Why a value could not be computed, in the words of the library that runs the graphs. */
export class DeviceError extends Error {
  /** The session whose graph failed; null where no graph did. */
  readonly session: number | null;

  constructor(message: string, session: number | null) {
    super(message);
    this.session = session;
  }
}
