/** A part of a file's bytes, and where it begins. It is overwritten soon. */
export type OnChunk = (chunk: Uint8Array, at: number) => void;
