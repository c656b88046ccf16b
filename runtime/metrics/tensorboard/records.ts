import { Message } from "../../protobuf.ts";
import { maskedCrc32c } from "./crc32c.ts";

/** A value at a step, e.g. `train/loss`. */
export type Scalars = readonly (readonly [tag: string, value: number])[];

interface EventTime {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
}

/** The first record of each file. */
export function versionEvent(wallTime: number): Uint8Array {
  return new Message().double(1, wallTime).string(3, "brain.Event:2").encode();
}

/** Tells the reader that what earlier files say of this step and of later ones is void: a resumed run does them again. */
export function startEvent({ wallTime, step }: EventTime): Uint8Array {
  const start = 1;
  return new Message().double(1, wallTime).int(2, step).message(7, new Message().int(1, start)).encode();
}

/** Field numbers of Event, Summary and Summary.Value in tensorflow's event.proto and summary.proto. */
export function scalarsEvent({ wallTime, step }: EventTime, scalars: Scalars): Uint8Array {
  const summary = new Message();
  for (const [tag, value] of scalars) summary.message(1, new Message().string(1, tag).float(2, value));
  return new Message().double(1, wallTime).int(2, step).message(5, summary).encode();
}

/** A record: length as uint64, its checksum, the data, their checksum. */
export function record(data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, checksum(length), data, checksum(data)]);
}

function checksum(bytes: Uint8Array): Uint8Array {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(maskedCrc32c(bytes));
  return out;
}
