import { existsSync } from "node:fs";
import { join } from "node:path";
import { readPt } from "../../runtime/files/pt/index.ts";
import { FindingsError } from "../../runtime/findings.ts";
import type { Replay } from "../case.ts";
import { declared, type Checks } from "../checks.ts";
import { keys } from "../known.ts";
import { replayDataset } from "./ptfiles/dataset.ts";
import { checkValue } from "./ptfiles/value.ts";

/** What a malicious file of the cases would make if it were executed. */
const CANARY = "/tmp/golden_canary_must_not_exist";

/** Cases of this group are single files, or data sets. */
export const replay: Replay = async (golden, engine) =>
  "queries" in golden.manifest ? replayDataset(golden, engine) : replayFile(golden, engine);

/** Reads a file; one that must be refused must leave no trace. */
const replayFile = declared(
  {
    manifest: {
      ...keys("file", "expect", "expected", "tolerance"),
      // How the file is built, and what PyTorch's own strict reader says of it.
      ...keys("zip_members", "file_size", "torch113_weights_only"),
    },
  },
  async (replayed, checks) => {
    const { file = "sample.pt", expect, expected } = replayed.manifest;
    const path = join(replayed.directory, file);
    if (expect === "reject") return replayRefusal(path, checks);
    if (expect !== undefined && expect !== "load") throw new Error(`a file is loaded or rejected, not: ${expect}`);
    if (expected === undefined) return checks.fail("the manifest does not say what is in the file");
    try {
      checkValue(replayed, checks, "", await readPt(path), expected);
    } catch (error) {
      if (!(error instanceof FindingsError)) throw error;
      checks.fail(`refused: ${error.message}`);
    }
  },
);

async function replayRefusal(path: string, checks: Checks): Promise<void> {
  try {
    await readPt(path);
    checks.fail("accepted, must be refused");
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
  }
  if (existsSync(CANARY)) checks.fail("the file was executed");
}
