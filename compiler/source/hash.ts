import { createHash } from "node:crypto";

/** Of the texts of a strategy and of those that it extends, from near to far, as a build records it. */
export function hashOf(texts: readonly string[]): string {
  return createHash("sha256").update(texts.join("\0")).digest("hex");
}
