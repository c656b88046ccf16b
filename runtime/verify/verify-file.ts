import { faultOf } from "../engine/recording/saved-recordings.ts";
import { withPt, isTensor, type PtStorage, type PtValue } from "../files/pt/index.ts";
import { openSafetensors } from "../files/safetensors/index.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { countNotFinite } from "./count-not-finite.ts";
import type { FileKind, FoundFile } from "./find-files.ts";
import { verifyMetrics } from "./verify-metrics.ts";

/** Reads a file and finds what is wrong with it. */
type Verify = (path: string, onBytes: (count: number) => void) => Promise<readonly Finding[]>;

const verifiers: Readonly<Record<FileKind, Verify>> = {
  pt: verifyPt,
  safetensors: verifySafetensors,
  state: verifySafetensors,
  metrics: verifyMetrics,
  recording: verifyRecording,
};

/**
 * Reads all of a file and finds what is wrong with it; a file that is whole has no finding that is an error.
 * @param onBytes told how many bytes were read, so that progress can be shown
 */
export async function verifyFile(
  { path, kind, bytes }: FoundFile,
  onBytes: (count: number) => void,
): Promise<readonly Finding[]> {
  let told = 0;
  const tell = (count: number) => {
    told += count;
    onBytes(count);
  };
  try {
    return await verifiers[kind](path, tell);
  } catch (error) {
    if (error instanceof FindingsError) return error.findings.slice(0, 1);
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return [cannotRead(path, code)];
  } finally {
    onBytes(bytes - told);
  }
}

/** A file or folder that the system does not let us read. */
export function cannotRead(path: string, reason: string): Finding {
  const help = "check its permissions and the disk";
  return { code: "LTX6156", severity: "error", path: [], message: `${path} cannot be read (${reason})`, help };
}

/** Something that has the name of a file to verify, and is none. */
export function notAFile(path: string, what: string): Finding {
  const help = "remove it, or put the file there; nothing was read from it";
  return { code: "LTX6195", severity: "error", path: [], message: `${path} is ${what}, not a file`, help };
}

/** A path that holds nothing that can be verified. */
export function nothingToVerify(path: string): Finding {
  const message = `there is nothing to verify in ${path}`;
  const help = "files that are verified end in .pt, .safetensors, .state or .recording, or are named metrics.jsonl";
  return { code: "LTX6195", severity: "error", path: [], message, help };
}

async function verifySafetensors(path: string, onBytes: (count: number) => void): Promise<readonly Finding[]> {
  const file = await openSafetensors(path);
  try {
    const [tensors, counts] = [[...file.tensors], new Map<string, number>()];
    let current = 0;
    await file.verify((chunk, at) => {
      onBytes(chunk.length);
      while (current < tensors.length && (tensors[current]?.[1].end ?? 0) <= at) current++;
      const [name, entry] = tensors[current] ?? [];
      const count = entry !== undefined && entry.start <= at ? countNotFinite(entry.dtype, chunk) : 0;
      if (name !== undefined && count > 0) counts.set(name, (counts.get(name) ?? 0) + count);
    });
    return counts.size === 0 ? [] : [notFinite("LTX6155", "warning", path, counts)];
  } finally {
    await file.close();
  }
}

function verifyPt(path: string): Promise<readonly Finding[]> {
  return withPt(path, (value) => {
    const counts = new Map<string, number>();
    const counted = new Map<PtStorage, number>();
    for (const { name, storage } of storagesIn(value)) {
      const count = counted.get(storage) ?? countNotFinite(storage.type, storage.bytes);
      counted.set(storage, count);
      if (count > 0) counts.set(name, count);
    }
    return counts.size === 0 ? [] : [notFinite("LTX6152", "error", path, counts)];
  });
}

/** The storages of all tensors, by the tensor's name. Values may share lists and dictionaries. */
function storagesIn(root: PtValue): { readonly name: string; readonly storage: PtStorage }[] {
  const found: { name: string; storage: PtStorage }[] = [];
  const seen = new Set<PtValue>();
  const visit = (value: PtValue, name: string): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (isTensor(value)) found.push({ name, storage: value.data });
    else if (value instanceof Map) {
      for (const [key, entry] of value as ReadonlyMap<PtValue, PtValue>) visit(entry, String(key));
    } else for (const entry of value as readonly PtValue[]) visit(entry, name);
  };
  visit(root, "");
  return found;
}

function notFinite(
  code: string,
  severity: Finding["severity"],
  path: string,
  counts: ReadonlyMap<string, number>,
): Finding {
  const [[name, count] = ["", 0]] = counts;
  const more =
    counts.size === 1 ? "" : `, and ${counts.size - 1} other tensor${counts.size === 2 ? " holds" : "s hold"} such`;
  const message = `${path}: \`${name}\` holds ${count} number${count === 1 ? " that is" : "s that are"} NaN or infinite${more}`;
  const help = code === "LTX6152" ? "preprocess the sample again" : "go on from a checkpoint before it";
  return { code, severity, path: [], message, help };
}

async function verifyRecording(path: string): Promise<readonly Finding[]> {
  const fault = faultOf(path);
  if (fault === null) return [];
  const help = "delete it; a run records anew what it needs";
  return [{ code: "LTX6154", severity: "error", path: [], message: `${path} ${fault}`, help }];
}
