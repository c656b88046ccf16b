import { maskedCrc32c } from "./crc32c.ts";
import { double, float, integer, message, text } from "./protobuf.ts";

/** A value at a step, e.g. `train/loss`. */
export type Scalars = readonly (readonly [tag: string, value: number])[];

interface EventTime {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
}

/** The first record of each file. */
export function versionEvent(wallTime: number): Uint8Array {
  return Buffer.concat([double(1, wallTime), text(3, "brain.Event:2")]);
}

/** Tells the reader that what earlier files say of this step and of later ones is void: a resumed run does them again. */
export function startEvent({ wallTime, step }: EventTime): Uint8Array {
  const start = 1;
  return Buffer.concat([double(1, wallTime), integer(2, step), message(7, integer(1, start))]);
}

/** Field numbers of Event, Summary and Summary.Value in tensorflow's event.proto and summary.proto. */
export function scalarsEvent({ wallTime, step }: EventTime, scalars: Scalars): Uint8Array {
  const values = scalars.map(([tag, value]) => message(1, text(1, tag), float(2, value)));
  return Buffer.concat([double(1, wallTime), integer(2, step), message(5, ...values)]);
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
