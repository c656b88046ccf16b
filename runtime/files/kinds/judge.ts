import { existsSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { some } from "../../some.ts";
import type { Finding } from "../../findings.ts";
import { candidatesIn } from "./folder.ts";
import { helpForNearby } from "./nearby.ts";
import { recognise, type FileKind } from "./recognise.ts";
import { nameOfWeights, published, wordsOf, wordsOfTransformer, type Words } from "./words.ts";

/** What a setting asks for. */
type Role = "transformer" | "video-vae" | "lora" | "trained-model" | "network";

const wanted: Readonly<Record<Role, string>> = {
  transformer: `a checkpoint of LTX-2 in a safetensors file, such as ${published}`,
  "video-vae": "the safetensors file of the video VAE, or the whole checkpoint",
  network: "a safetensors file with the network's weights",
  lora: "a LoRA in a safetensors file, or the output folder of a run",
  "trained-model": "the weights that a full training saved, or the output folder of a run",
};

/**
 * Why the file at `path` can not be what a setting asks for, or null if it can, as far as its first bytes and its header tell.
 * @param place the setting
 */
export async function judgeFile(path: string, role: Role, place: Finding["path"]): Promise<Finding | null> {
  const found = await recognise(path);
  const words = await wordsAt(path, found, role);
  if (words === null) return null;
  const { code, what, help } = words;
  return { code, severity: "error", path: place, message: `${path} ${what}`, help };
}

async function wordsAt(path: string, found: FileKind, role: Role): Promise<Words | null> {
  if (found.kind === "folder") return wordsOfFolder(path, role);
  const words = wordsFor(found, role);
  const nearby = found.kind === "missing" && words !== null ? await helpForNearby(path) : null;
  if (nearby !== null) return words === null ? null : { ...words, help: nearby };
  const isName = found.kind === "missing" && extname(path) !== ".safetensors" && !existsSync(dirname(path));
  return words === null || !isName ? words : { ...words, help: `${NAMES_NO_FILE}; name ${wanted[role]}` };
}

/** Other trainers download what a name such as `Lightricks/LTX-2` stands for. */
const NAMES_NO_FILE = "a name on Hugging Face is no path, and ltxc downloads nothing: download the file";

/** What a file is, such as `is a safetensors file: a LoRA`, for one that was named where ltxc reads text; null for texts. */
export async function describeFile(path: string): Promise<string | null> {
  const found = await recognise(path);
  if (found.kind === "weights") return `is a safetensors file: ${nameOfWeights(found.weights)}`;
  const isText = ["text", "json", "web-page", "pointer"].includes(found.kind);
  return isText ? null : (wordsOf(found, "another file")?.what ?? null);
}

function wordsFor(found: FileKind, role: Role): Words | null {
  if (found.kind !== "weights") return wordsOf(found, wanted[role]);
  if (role === "network") return null;
  if (role === "transformer") return wordsOfTransformer(found.weights, found.shard);
  const { weights } = found;
  const what = nameOfWeights(weights);
  const isFit =
    weights.model === "none" || fitting[role].includes(weights.model === "part" ? weights.what : weights.model);
  return isFit ? null : notA(titles[role], what, wanted[role]);
}

/** Which weights a setting takes, as far as names tell. Unknown names are left to what reads them. */
const fitting: Readonly<Record<Exclude<Role, "transformer" | "network">, readonly string[]>> = {
  "video-vae": ["a video VAE", "ltx-2", "ltx-video", "other"],
  lora: ["lora", "other"],
  "trained-model": ["ltx-2", "other"],
};

const titles: Readonly<Record<Exclude<Role, "transformer" | "network">, string>> = {
  "video-vae": "a video VAE",
  lora: "a LoRA",
  "trained-model": "weights of a full training",
};

function notA(wantedKind: string, what: string, name: string): Words {
  return { code: "LTX6230", what: `is ${what}, not ${wantedKind}`, help: `name ${name}` };
}

/** Names that are shown of several. */
const SHOWN = 3;

async function pointersAmong(folder: string, files: readonly string[]): Promise<readonly string[]> {
  const kinds = await Promise.all(files.map((file) => recognise(join(folder, file))));
  return files.filter((_, i) => kinds[i]?.kind === "pointer");
}

async function wordsOfFolder(path: string, role: Role): Promise<Words> {
  const fits = async (file: string): Promise<boolean> => {
    const found = await recognise(file);
    if (found.kind !== "weights" || wordsFor(found, role) !== null) return false;
    const { weights } = found;
    return role === "transformer" ? weights.model === "ltx-2" && weights.hasConnectors : weights.model !== "none";
  };
  const { fitting, others, isDiffusers } = await candidatesIn(path, fits);
  const base = { code: "LTX6225", what: "is a folder, not a file" };
  if (fitting.length === 1) return { ...base, help: `write the path of ${fitting[0]} in it` };
  if (fitting.length > 1)
    return { ...base, help: `write the path of one of these files in it: ${some(fitting, SHOWN)}` };
  if (isDiffusers) {
    return {
      ...base,
      what: `${base.what}; it is laid out for diffusers, whose files ltxc does not read`,
      help: `name ${wanted[role]}`,
    };
  }
  const pointers = await pointersAmong(path, others);
  if (pointers.length > 0 && pointers.length === others.length) {
    return {
      ...base,
      what: `${base.what}; its files are Git LFS pointers, short texts in place of the files`,
      help: `fetch the files: run \`git lfs install\` and \`git lfs pull\` in it; then write the path of ${some(pointers, SHOWN)}`,
    };
  }
  const there =
    others.length === 0 ? "no safetensors file is in it" : `none of its files would do (${some(others, SHOWN)})`;
  return { ...base, help: `${there}; name ${wanted[role]}` };
}
