import type { StoredTensor } from "../graph/stored-tensor.ts";

/** The block that a tensor of this name belongs to, as a part of a stored tensor. */
export function blockOf(name: string): Pick<StoredTensor, "block"> {
  const [, block] = /(transformer_blocks\.\d+)\./.exec(name) ?? [];
  return block === undefined ? {} : { block };
}
