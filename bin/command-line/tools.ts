/** Commands about files, this machine and this program: their arguments, options and examples. */
import { Argument, Option } from "commander";
import type { ConvertOptions } from "../commands/convert.ts";
import type { DecodeOptions } from "../commands/decode.ts";
import type { EncodeOptions } from "../commands/encode.ts";
import type { Installable } from "../commands/install.ts";
import type { TrustOptions } from "../commands/trust.ts";
import type { Declaring } from "./declaring.ts";
import { wholeNumber } from "./options.ts";

export function declareConvert({ command, session, done }: Declaring): void {
  command("convert", "Write a LoRA in another program's format, with the same strength there.", [
    ["ltxc convert lora.safetensors comfy.safetensors --to comfyui", "names and alphas as ComfyUI reads them"],
    ["ltxc convert lora.safetensors adapter --to peft", "a folder with adapter_model and adapter_config"],
    ["ltxc convert their.safetensors ours.safetensors --to official", "for ltxc and the official trainer"],
  ])
    .argument("<in>", "a LoRA of LTX-2, or a folder of PEFT or diffusers with one")
    .argument("<out>", "the file to write; for peft, a folder or its adapter_model.safetensors gets its config, too")
    .addOption(
      new Option(
        "--to <format>",
        "the program that is to load it; the names of layers are official, except for diffusers",
      )
        .choices(["official", "comfyui", "diffusers", "peft", "kohya"])
        .makeOptionMandatory(),
    )
    .addOption(new Option("--dtype <type>", "of the numbers (default: as they are)").choices(["bf16", "f16", "f32"]))
    .option("--force", "replace a file that is already there")
    .action(async (from: string, out: string, options: ConvertOptions) => {
      const { convert } = await import("../commands/convert.ts");
      done(await convert(session(), from, out, options));
    });
}

export function declareDecode({ command, session, done }: Declaring): void {
  command("decode", "Make videos and pictures of video latents, by the video VAE of a checkpoint.", [
    ["ltxc decode outputs/samples/latents --vae ltx-2-19b-dev.safetensors", "what a run has drawn, into decoded/"],
    ["ltxc decode data/latents --vae vae-conv.safetensors --out seen", "data, by the VAE's own file"],
    ["ltxc decode clip.pt --vae vae-conv.safetensors --engine torch", "on a GPU, where PyTorch is installed"],
  ])
    .argument("<paths...>", "files of latents (.pt, .safetensors), and folders with all that is below them")
    .requiredOption(
      "--vae <file>",
      "the checkpoint, or the file of its video VAE; LTX-2.5 has two: with `conv` in its name, and one whose decoder draws noise",
    )
    .option(
      "--out <folder>",
      "where they go: one frame becomes a .png, more an .mp4, for which ffmpeg must be installed",
      "decoded",
    )
    .addOption(
      new Option("--engine <name>", "what computes").choices(["auto", "cpu", "wasm", "onnx", "torch"]).default("auto"),
    )
    .addOption(
      new Option("--seed <n>", "of the noise that a VAE without `conv` in its name draws")
        .argParser(wholeNumber)
        .default(0),
    )
    .option("--force", "replace files that are already there")
    .action(async (paths: string[], options: DecodeOptions) => {
      const { decode } = await import("../commands/decode.ts");
      done(await decode(session(), paths, options));
    });
}

export function declareEncode({ command, session, done }: Declaring): void {
  command(
    "encode",
    "Make latents of videos and pictures, by the video VAE of a checkpoint, as the official preprocessing stores them.",
    [
      [
        'ltxc encode clips --vae ltx-2-19b-dev.safetensors --out data/latents --resolution-buckets "768x512x121"',
        "the first 121 frames of each, resized to cover 768 x 512 pixels and cut around the middle",
      ],
      [
        'ltxc encode clips --vae vae-conv.safetensors --resolution-buckets "768x512x49;512x768x49"',
        "each clip in the size whose shape is nearest to its own",
      ],
      ["ltxc encode first.png --vae vae-conv.safetensors", "in its own size, without what does not fill latent cells"],
      ["ltxc encode clips --vae vae-conv.safetensors --keep", "goes on after an interruption"],
    ],
  )
    .argument(
      "<paths...>",
      "videos and pictures, and folders with all that is below them; ffmpeg must be installed for all but .png",
    )
    .requiredOption("--vae <file>", "the checkpoint, or the file of its video VAE")
    .option("--out <folder>", "where they go, under the name of the video or picture", "latents")
    .option(
      "--resolution-buckets <sizes>",
      "WIDTHxHEIGHTxFRAMES, several with `;` between: widths and heights are multiples of 32, frames 8 n + 1 (default: as each clip is)",
    )
    .addOption(new Option("--format <format>", "of the files").choices(["pt", "safetensors"]).default("pt"))
    .option("--vae-tiling", "cut pictures above 512 pixels into tiles that overlap, for which less memory is needed")
    .option("--no-rotation", "take frames as they are stored, and do not turn them as the file asks for")
    .addOption(
      new Option("--engine <name>", "what computes").choices(["auto", "cpu", "wasm", "onnx", "torch"]).default("auto"),
    )
    .option("--force", "replace files that are already there")
    .addOption(new Option("--keep", "leave files that are already there, and make the others").conflicts("force"))
    .action(async (paths: string[], options: EncodeOptions) => {
      const { encode } = await import("../commands/encode.ts");
      done(await encode(session(), paths, options));
    });
}

export function declareVerify({ command, session, done }: Declaring): void {
  command(
    "verify",
    "Read files of checkpoints, data, runs and caches as a whole, and say which are damaged. Changes nothing.",
    [
      ["ltxc verify outputs", "a run: weights, heads, training states, metrics"],
      ["ltxc verify data", "all data files, before a long run or after a copy"],
      ["ltxc verify models/ltx-2.safetensors", "a download"],
      ["ltxc verify ~/.cache/ltxc", "saved recordings"],
      [
        "ltxc verify outputs --json",
        "for scripts: each file with `whole` or `damaged`; the exit code is 1 if one is damaged",
      ],
    ],
  )
    .argument("<paths...>", "files and folders; folders with all that is below them, links not followed")
    .action(async (paths: string[]) => {
      const { verify } = await import("../commands/verify.ts");
      done(await verify(session(), paths));
    });
}

export function declareExplain({ command, session, done }: Declaring): void {
  command("explain", "Explain a finding's code; without one, list all codes.", [
    ["ltxc explain LTX3001", "what it means, a bad and a good example"],
    ["ltxc explain", "all codes with their titles"],
  ])
    .argument("[code]", "as printed with the finding, e.g. LTX3001")
    .action(async (code: string | undefined) => {
      const { explain } = await import("../commands/explain.ts");
      done(await explain(session(), code ?? null));
    });
}

export function declareDoctor({ command, session, done }: Declaring): void {
  command("doctor", "Show what this machine offers: Node, the engines found and why others are not, GPU, memory.", [
    ["ltxc doctor", "a report to read"],
    ["ltxc doctor --json", "the same for an issue or a script"],
  ]).action(async () => {
    const { doctor } = await import("../commands/doctor.ts");
    done(await doctor(session()));
  });
}

export function declareInstall({ command, session, done }: Declaring): void {
  command(
    "install",
    "Fetch what npm does not bring: PyTorch, TensorFlow, or ONNX Runtime's provider for NVIDIA GPUs. Linux only.",
    [
      [
        "ltxc install torch",
        "PyTorch for NVIDIA GPUs, into a folder of ltxc's own; a PyTorch that is there is found without it",
      ],
      ["ltxc install torch --cpu", "a build without CUDA, a tenth of the size"],
      [
        "ltxc install tfjs-node-gpu",
        "TensorFlow of today for this engine, whose package brings one for CUDA 11.2; needs g++, python3 and npm",
      ],
      ["ltxc install cuda", "for the engine onnx; `ltxc doctor` then shows how fast it is"],
    ],
  )
    .addArgument(new Argument("<what>", "what to fetch").choices(["torch", "tfjs-node-gpu", "cuda"]))
    .option("--cpu", "of torch and tfjs-node-gpu, a build that computes on the CPU only")
    .action(async (what: Installable, options: { cpu?: boolean }) => {
      const { install } = await import("../commands/install.ts");
      done(await install(session(), what, options));
    });
}

export function declareTrust({ command, session, done }: Declaring): void {
  command(
    "trust",
    "Let code of a project run that belongs to another user, as in a container, or a build without its .strategy file. Strategies without imports never need it.",
    [
      ["ltxc trust", "the project of this folder, and all that lies in it"],
      ["ltxc trust build/my.mjs", "a build, as it is now"],
      ["ltxc trust --list", "what is trusted"],
      ["LTXC_TRUST=/workspace ltxc run", "for one command; separated as in PATH, `*` is everything"],
    ],
  )
    .argument("[paths...]", "folders and builds (default: this folder)")
    .option("--list", "print what is trusted")
    .option("--remove", "trust them no longer")
    .action(async (paths: string[], options: TrustOptions) => {
      const { trust } = await import("../commands/trust.ts");
      done(await trust(session(), paths, options));
    });
}

export function declareLsp({ command, session, done }: Declaring): void {
  command(
    "lsp",
    "Serve an editor over stdin and stdout, as a language server for strategies and run configs. Editors start it; nothing of a project runs.",
    [
      ["ltxc lsp", "what an editor is told to start"],
      ["npx --no-install ltxc lsp", "the same with the ltxc of a project"],
    ],
  ).action(async () => {
    const { lsp } = await import("../commands/lsp.ts");
    done(await lsp(session()));
  });
}
