/**
 * The text of a saved recording's files: a line with the SHA-256 of what follows, then JSON. The checksum tells damage, not malice:
 * whoever may write the file may write another checksum, too.
 */
import { createHash } from "node:crypto";
import type { Initializer } from "../../graph/graph.ts";
import type { Recording } from "./recording.ts";

const TITLE = "ltxc recording sha256:";
const DIGITS = 64;

export const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

/** A file's text, and the checksum in it. */
export function sealed(value: unknown): { readonly text: string; readonly checksum: string } {
  const body = JSON.stringify(value, toText);
  const checksum = sha256(body);
  return { text: `${TITLE}${checksum}\n${body}`, checksum };
}

/** What a file holds, with its checksum; null for one that is damaged or none. */
export function unsealed(file: Buffer): { readonly value: unknown; readonly checksum: string } | null {
  const start = TITLE.length + DIGITS + 1;
  const checksum = sha256(file.subarray(start));
  if (file.toString("latin1", 0, start) !== `${TITLE}${checksum}\n`) return null;
  try {
    return { value: JSON.parse(file.toString("utf8", start), fromText), checksum };
  } catch {
    return null;
  }
}

/** JSON has no bytes, and no infinite numbers, NaN or -0. */
function toText(key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  if (key === "numbers") return (value as Recording["numbers"]).map(textOf);
  return value;
}

function textOf(x: number | null): string | null {
  if (x === null) return null;
  return Object.is(x, -0) ? "-0" : String(x);
}

function fromText(key: string, value: unknown): unknown {
  if (key === "bytes") return bytesOf(value as Initializer["bytes"] | { readonly base64: string });
  if (key === "numbers" && Array.isArray(value)) {
    return (value as (string | null)[]).map((x) => (x === null ? null : Number(x)));
  }
  return value;
}

function bytesOf(value: Initializer["bytes"] | { readonly base64: string } | null): Initializer["bytes"] | null {
  if (value === null || typeof value !== "object" || !("base64" in value)) return value;
  return Uint8Array.from(Buffer.from(String(value.base64), "base64"));
}
