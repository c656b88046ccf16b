import { containerOf, HEAD_BYTES, wordsOf } from "../kinds/index.ts";
import type { Refuse } from "./value.ts";

const wanted = "a `.pt` file as the official preprocessing writes it";

/**
 * Refuses a file that begins as something else than `torch.save` writes, and says what it is. Bytes in no known format are left to the
 * reader. Errors: FindingsError LTX6142, or LTX6111 for a file that is empty or all zeros.
 * @param head the file's first bytes, at least `HEAD_BYTES` of them where it has as many
 */
export function refuseOthers(head: Buffer, size: number, refuse: Refuse): void {
  const found = containerOf(head.subarray(0, HEAD_BYTES), size);
  if (found.kind === "torch" || found.kind === "unknown") return;
  if (found.kind === "safetensors")
    refuse("LTX6142", "it is a safetensors file, not a file of `torch.save`", `name ${wanted}`);
  else {
    const { code, what, help } = wordsOf(found, wanted) ?? { code: "LTX6142", what: "is something else", help: wanted };
    refuse(code === "LTX6224" ? "LTX6111" : "LTX6142", `it ${what}`, help);
  }
}
