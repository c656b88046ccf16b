/** Pictures one after another in the PPM format: `P6`, width, height, `255`, then the bytes. */
import type { RgbBytes } from "../pixels/resize.ts";

/** The longest head that two sizes make. */
const HEAD = 40;

/** Splits a stream. A last picture that is cut off is left out. */
export async function* pictures(chunks: AsyncIterable<Buffer>): AsyncGenerator<RgbBytes> {
  let waiting: Buffer = Buffer.alloc(0);
  let open: { readonly width: number; readonly height: number; readonly bytes: Uint8Array; filled: number } | null =
    null;
  for await (const chunk of chunks) {
    let rest: Buffer = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    for (;;) {
      if (open === null) {
        const head = headOf(rest);
        if (head === null) break;
        open = { ...head, bytes: new Uint8Array(3 * head.width * head.height), filled: 0 };
        rest = rest.subarray(head.length);
      }
      const part = rest.subarray(0, open.bytes.length - open.filled);
      open.bytes.set(part, open.filled);
      open.filled += part.length;
      rest = rest.subarray(part.length);
      if (open.filled < open.bytes.length) break;
      yield { width: open.width, height: open.height, bytes: open.bytes };
      open = null;
    }
    waiting = rest;
  }
}

/** Null where more bytes are needed. */
function headOf(bytes: Buffer) {
  const text = bytes.subarray(0, HEAD).toString("latin1");
  const found = /^P6\n(\d+) (\d+)\n255\n/.exec(text);
  if (found !== null) return { width: Number(found[1]), height: Number(found[2]), length: found[0].length };
  if (text.length < HEAD) return null;
  throw new Error("ffmpeg wrote no pictures in the PPM format");
}
