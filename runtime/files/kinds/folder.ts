import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { recognise } from "./recognise.ts";

/** Entries of a folder and its subfolders that are looked at, and the depth to which subfolders are. */
const [MOST_ENTRIES, DEPTH] = [500, 4];
/** Files that are opened. */
const MOST_OPENED = 40;

/** What a folder holds that a setting for a file of weights could name. */
interface Candidates {
  /** Files that would do, relative to the folder. */
  readonly fitting: readonly string[];
  /** Other files of weights. */
  readonly others: readonly string[];
  /** Whether the library diffusers laid the folder out. */
  readonly isDiffusers: boolean;
}

/** Looks for files of weights in `folder` for which `fits` says yes, at most a few hundred entries far. */
export async function candidatesIn(folder: string, fits: (path: string) => Promise<boolean>): Promise<Candidates> {
  const files = await filesBelow(folder);
  const weights = files.filter((file) => /\.(safetensors|gguf|sft)$/i.test(file)).slice(0, MOST_OPENED);
  const judged = await Promise.all(weights.map(async (file) => ({ file, does: await fits(join(folder, file)) })));
  return {
    fitting: judged.flatMap(({ file, does }) => (does ? [file] : [])),
    others: judged.flatMap(({ file, does }) => (does ? [] : [file])),
    isDiffusers: files.some((file) => file.endsWith("model_index.json")) || (await holdsDiffusers(folder, weights)),
  };
}

async function holdsDiffusers(folder: string, files: readonly string[]): Promise<boolean> {
  const first = files.find((file) => /diffusion_pytorch_model/.test(file));
  if (first === undefined) return false;
  const found = await recognise(join(folder, first));
  return found.kind === "weights" && found.weights.model === "ltx-2-diffusers";
}

/** Paths below `folder`, the nearer ones first. Folders that may not be read count as empty. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  let level = [""];
  let seen = 0;
  for (let depth = 0; depth <= DEPTH && level.length > 0 && seen < MOST_ENTRIES; depth++) {
    const next: string[] = [];
    for (const below of level) {
      const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(() => []);
      for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, MOST_ENTRIES - seen)) {
        seen++;
        const path = join(below, entry.name);
        if (entry.isDirectory()) next.push(path);
        else if (!entry.name.startsWith("._")) files.push(path);
      }
    }
    level = next;
  }
  return files;
}
