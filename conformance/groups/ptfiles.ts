import { existsSync } from "node:fs";
import { join } from "node:path";
import { readPt, isTensor, toFloat32, type PtValue } from "../../runtime/data/pt/index.ts";
import { FindingsError } from "../../runtime/findings.ts";
import { golden, type Case, type Manifest, type Replay } from "../case.ts";
import { compare } from "../compare.ts";
import { replayDataset } from "./ptfiles-dataset.ts";

/** What a malicious file of the cases would make if it were executed. */
const CANARY = "/tmp/golden_canary_must_not_exist";

/** Reads single files, or data sets; files that must be refused must leave no trace. */
export const replay: Replay = async (replayed, engine) => {
  const { manifest, directory } = replayed;
  if (manifest["queries"] !== undefined) return replayDataset(replayed, engine);
  const path = join(directory, (manifest["file"] as string | undefined) ?? "sample.pt");
  if (manifest["expect"] === "reject") return replayRefusal(path);
  try {
    return checkValue(replayed, "", await readPt(path), (manifest["expected"] ?? {}) as Manifest);
  } catch (error) {
    if (error instanceof FindingsError) return [`refused: ${error.message}`];
    throw error;
  }
};

async function replayRefusal(path: string): Promise<string[]> {
  const reasons: string[] = [];
  try {
    await readPt(path);
    reasons.push("accepted, must be refused");
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
  }
  if (existsSync(CANARY)) reasons.push("the file was executed");
  return reasons;
}

/** `expected` describes a dictionary, a tensor or a plain value; dictionaries nest. */
function checkValue(replayed: Case, path: string, actual: PtValue, expected: Manifest): string[] {
  const { tensor } = expected;
  if (typeof tensor === "object" && tensor !== null && "dtype" in tensor) {
    return checkTensor(replayed, path, actual, expected);
  }
  if ("value" in expected && "type" in expected) {
    const isSame = JSON.stringify(actual) === JSON.stringify(expected["value"]);
    return isSame ? [] : [`${path} is ${String(actual)}, expected ${String(expected["value"])}`];
  }
  if (!(actual instanceof Map)) return [`${path || "the file"} is no dictionary`];
  const entries: ReadonlyMap<PtValue, PtValue> = actual;
  const keys = Object.keys(expected);
  const found = [...entries.keys()].map(String).join();
  const reasons = found === keys.join() ? [] : [`${path || "the file"} has the keys ${found}, expected ${keys.join()}`];
  return reasons.concat(
    keys.flatMap((key) =>
      checkValue(replayed, path ? `${path}.${key}` : key, entries.get(key) ?? null, expected[key] as Manifest),
    ),
  );
}

function checkTensor({ tensors }: Case, path: string, actual: PtValue, expected: Manifest): string[] {
  if (!isTensor(actual)) return [`${path} is no tensor`];
  const is = { stride: actual.stride, storage_offset: actual.offset, requires_grad: actual.requiresGrad };
  const differing = Object.entries(is).filter(
    ([key, value]) => expected[key] !== undefined && JSON.stringify(value) !== JSON.stringify(expected[key]),
  );
  const reasons = differing.map(([key, value]) => `${path}: ${key} is ${JSON.stringify(value)}`);
  const values = { shape: actual.shape, data: toFloat32(actual) };
  return [...reasons, ...compare(path, values, golden(tensors, path), "exact")];
}
