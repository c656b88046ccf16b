/** What is said of a file that is not what a setting asks for. */
import type { Container } from "./first-bytes.ts";
import type { FileKind, Shard } from "./recognise.ts";
import type { WeightsKind } from "./weights-kind.ts";

/** `code` of a finding; `what` follows "PATH is" or, for sentences of their own, "PATH". */
export interface Words {
  readonly code: string;
  readonly what: string;
  readonly help: string;
}

/** A checkpoint that can be used, as people find it: https://huggingface.co/Lightricks/LTX-2/resolve/main/ltx-2-19b-dev.safetensors */
export const published = "`ltx-2-19b-dev.safetensors` of Lightricks/LTX-2 on Hugging Face";

/** What to do about a checkpoint that can not be used. */
export const take = `take the checkpoint in 16 bits and in one file, as it was published, such as ${published}`;

const size = (bytes: number): string => {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toPrecision(3)} ${units[power]}`;
};

/** What a file is that holds no tensors which ltxc can read, whatever was wanted of it; null for weights and folders. */
export function wordsOf(found: FileKind, wanted: string): Words | null {
  switch (found.kind) {
    case "missing":
      return {
        code: "LTX6303",
        what: "does not exist",
        help: "correct the path; relative ones start at the folder of the run config",
      };
    case "unreadable":
      return { code: "LTX6180", what: `cannot be opened (${found.code})`, help: "check the path and its permissions" };
    case "special":
      return { code: "LTX6170", what: `is ${found.what}, not a file`, help: `name ${wanted}` };
    case "unfinished":
      return unfinished(found.bytes, found.of);
    case "shard-index":
      return {
        code: "LTX6226",
        what: "is the index of a model in several files, not the model",
        help: take,
      };
    case "weights":
    case "folder":
      return null;
    default:
      return wordsOfContainer(found, wanted);
  }
}

function unfinished(bytes: number, of: number | null): Words {
  const there = of === null ? "" : `: ${size(bytes)} of ${size(of)} are there (${bytes} of ${of} bytes)`;
  return {
    code: "LTX6224",
    what: `is cut off, as by a download or copy that did not finish${there}`,
    help: "let the download finish, or copy the file again; its size must be the one that the source shows",
  };
}

function wordsOfContainer(found: Exclude<Container, { readonly kind: "safetensors" }>, wanted: string): Words {
  const name = `name ${wanted}`;
  switch (found.kind) {
    case "empty":
      return { code: "LTX6224", what: "is empty", help: "download or copy the file again" };
    case "zeros":
      return {
        code: "LTX6224",
        what: "holds only zeros where it should begin, as a download that reserved its space and did not finish",
        help: "let the download finish, or download the file again",
      };
    case "pointer":
      return {
        code: "LTX6223",
        what: `is a Git LFS pointer, a short text in place of a file${found.size === null ? "" : ` of ${size(found.size)}`}`,
        help: "fetch the file itself: run `git lfs install` and `git lfs pull` in its folder",
      };
    case "web-page":
      return {
        code: "LTX6223",
        what: `is a web page${found.title === null ? "" : ` ("${found.title}")`}, stored in place of the file`,
        help: "download the file by its direct link (`/resolve/`, not `/blob/`); for a gated model, accept its terms and log in first",
      };
    case "json":
      if (/"_(class_name|diffusers_version)"/.test(found.start))
        return { code: "LTX6229", what: "is a config of diffusers, which holds no weights", help: name };
      return {
        code: "LTX6223",
        what: `is a JSON text (${oneLine(found.start)}), such as a server's reply in place of the file`,
        help: `download the file itself; for a gated model, accept its terms and log in first`,
      };
    case "text":
      return {
        code: "LTX6223",
        what: `is a text ("${found.firstLine}"), such as a server's reply in place of the file`,
        help: `download the file itself, or ${name}`,
      };
    default:
      return wordsOfFormat(found, wanted);
  }
}

type Unfit = Exclude<
  Container,
  { readonly kind: "safetensors" | "empty" | "zeros" | "pointer" | "web-page" | "json" | "text" }
>;

/** A sound file in a format that is not the one. */
function wordsOfFormat(found: Unfit, wanted: string): Words {
  const name = `name ${wanted}`;
  switch (found.kind) {
    case "utf-16":
      return { code: "LTX6222", what: "is a text in UTF-16", help: name };
    case "apple-double":
      return {
        code: "LTX6222",
        what: "is a file that macOS made for its own notes (AppleDouble), without the content of the file that it belongs to",
        help: `${name}, without \`._\` before its name; \`dot_clean\` on macOS removes such files`,
      };
    case "gguf":
      return {
        code: "LTX6222",
        what: "is a GGUF file, whose numbers are quantized; ltxc does not read this format",
        help: wanted.includes(published) ? take : name,
      };
    case "torch":
      return {
        code: "LTX6222",
        what: "is a file of PyTorch (`torch.save`: .pt, .pth, .ckpt, .bin), not a safetensors file",
        help: `${name}; ltxc never unpickles weights`,
      };
    case "archive":
      return { code: "LTX6222", what: `is an archive (${found.format})`, help: `unpack it, and ${name}` };
    case "media":
    case "other":
      return { code: "LTX6222", what: `is ${found.format}`, help: name };
    case "unknown":
      return { code: "LTX6222", what: "is in no format that ltxc knows", help: name };
  }
}

const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
};

/** Why weights can not be a base checkpoint; null if they can, or if their config must tell. */
export function wordsOfTransformer(weights: WeightsKind, shard: Shard | null): Words | null {
  switch (weights.model) {
    case "ltx-2-diffusers":
      return {
        code: "LTX6229",
        what: "is LTX-2 in the layout of diffusers, whose tensors have other names and whose connectors lie in another file",
        help: take,
      };
    case "ltx-video":
      return {
        code: "LTX6230",
        what: "is a transformer of LTX-Video (0.9, 2B or 13B), the model before LTX-2",
        help: `ltxc trains LTX-2 and later: ${take}`,
      };
    case "lora":
      return {
        code: "LTX6230",
        what: "is a LoRA, not a base checkpoint",
        help: `write \`load_checkpoint: <this file>\` to train on from it; for \`model_path\`, ${take}`,
      };
    case "part":
      return { code: "LTX6230", what: `is ${weights.what}, not the transformer`, help: partHelp(weights.what) };
    case "other":
      return { code: "LTX6230", what: `is ${weights.what}, not LTX-2`, help: take };
    case "none":
      return null;
    case "ltx-2":
      return wordsOfLtx2(weights, shard);
  }
}

function partHelp(what: string): string {
  return what === "a video VAE" ? `it belongs in \`model.video_vae_path\`; for \`model_path\`, ${take}` : take;
}

function wordsOfLtx2(weights: Extract<WeightsKind, { readonly model: "ltx-2" }>, shard: Shard | null): Words | null {
  if (shard !== null) {
    return {
      code: "LTX6226",
      what: `is part ${shard.number} of ${shard.of} of a model in several files`,
      help: take,
    };
  }
  if (weights.quantized !== null) {
    return {
      code: "LTX6227",
      what: `is ${weights.version ?? "LTX-2"} quantized to ${weights.quantized}; ltxc trains on numbers of 16 or 32 bits, and on fp8 (F8_E4M3)`,
      help: take,
    };
  }
  return null;
}

/** What weights are, as in "a LoRA". */
export function nameOfWeights(weights: WeightsKind): string {
  switch (weights.model) {
    case "ltx-2":
      return `a transformer of ${weights.version ?? "LTX-2"}${weights.quantized === null ? "" : `, quantized to ${weights.quantized}`}`;
    case "ltx-2-diffusers":
      return "a transformer of LTX-2 in the layout of diffusers";
    case "ltx-video":
      return "a transformer of LTX-Video";
    case "lora":
      return "a LoRA";
    case "part":
    case "other":
      return weights.what;
    case "none":
      return "a safetensors file of something else";
  }
}
