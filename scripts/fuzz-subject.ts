/** What the fuzzer of files needs of each kind, and how readers are called. */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { HostTensor } from "../runtime/contract.ts";
import { FindingsError } from "../runtime/findings.ts";
import { verifyFile, type FoundFile } from "../runtime/verify/index.ts";
import type { Bytes } from "./fuzz-bytes.ts";

export interface Subject {
  readonly inputs: Bytes;
  read(input: Buffer): Promise<void> | void;
}

/** Makes a subject whose files lie in a folder. */
export type MakeSubject = (folder: string) => Promise<Subject>;

/** In memory where the system has such a folder. */
export const scratch = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Findings are how a reader refuses. */
export async function refusing(read: () => Promise<unknown>): Promise<void> {
  await read().catch((error: unknown) => {
    if (!(error instanceof FindingsError)) throw error;
  });
}

export const verifying = (path: string, kind: FoundFile["kind"], bytes: number) =>
  verifyFile({ path, kind, bytes }, () => {});

export const host = (...shape: number[]): HostTensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: "float32", data: Float32Array.from({ length: size }, (_, i) => i / 8) };
};
