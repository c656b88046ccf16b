import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { FileReport } from "../../compiler/diagnostics/index.ts";
import { FindingsError } from "../../runtime/findings.ts";
import {
  convertLora,
  loraInFolder,
  peftFiles,
  peftFolder,
  type Converted,
  type LoraDType,
  type LoraFormat,
} from "../../runtime/lora-files/index.ts";
import { reportWithoutLines } from "../project/findings.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import type { Io } from "../shell/io.ts";
import { printFindings, printReport } from "../shell/print-findings.ts";
import { say, sayJson, type Session } from "../shell/session.ts";

export interface ConvertOptions {
  readonly to: LoraFormat;
  readonly dtype?: LoraDType;
  readonly force?: true;
}

const extension = ".safetensors";

/** The file that is read: the one that was named, or the LoRA in a folder of PEFT or diffusers. */
function inputOf({ cwd }: Io, named: string): string {
  const path = resolve(cwd, named);
  if (!existsSync(path)) throw new UsageError(`${named} does not exist`);
  if (!statSync(path).isDirectory()) return path;
  const inside = loraInFolder(path);
  if (inside !== null) return inside;
  throw new UsageError(`${named} is a folder without a LoRA that PEFT or diffusers saved`, "name a file in it");
}

/** Checks where the result goes; nothing that is there is lost without `--force`. */
function outputOf({ cwd }: Io, named: string, { to, force }: ConvertOptions): string {
  const path = resolve(cwd, named);
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const adapter = to === "peft" && !(isFolder && named.endsWith(extension)) ? peftFolder(path) : null;
  if (adapter !== null) return outputOfPeft({ path, adapter, named }, force === true);
  if (isFolder)
    throw new UsageError(`${named} is a folder`, `name the file: ${named.replace(/\/*$/, "/")}lora${extension}`);
  if (!named.endsWith(extension)) throw new UsageError(`${named} is no name for a LoRA`, `end it in \`${extension}\``);
  if (basename(path) === peftFiles.weights && existsSync(join(dirname(path), peftFiles.config))) {
    const message = `PEFT would load ${named} by the ${peftFiles.config} next to it, which is that of another adapter`;
    throw new UsageError(message, "choose another name or folder, or write both files with `--to peft`");
  }
  if (force !== true && existsSync(path)) thereAlready(named);
  return path;
}

/** A folder, or the weights in it: PEFT's config is written next to them. */
function outputOfPeft(
  { path, adapter, named }: { readonly path: string; readonly adapter: string; readonly named: string },
  isForced: boolean,
): string {
  if (adapter === path && existsSync(path) && !statSync(path).isDirectory())
    throw new UsageError(`${named} is a file`, "name a folder, or a .safetensors file");
  const config = join(adapter, peftFiles.config);
  if (existsSync(config) && !statSync(config).isFile())
    throw new UsageError(`${config} is no regular file`, "choose another folder");
  if (isForced) return path;
  const folder = adapter === path ? named : dirname(named);
  const lora = loraInFolder(adapter);
  if (lora !== null) thereAlready(adapter === path ? `a LoRA in ${named}` : join(folder, basename(lora)));
  if (existsSync(config)) thereAlready(join(folder, peftFiles.config));
  return path;
}

function thereAlready(what: string): never {
  throw new UsageError(`${what} is there already`, "choose another name, or replace it with `--force`");
}

/** `ltxc convert`: a LoRA file in the format of another program, with the same strength there. */
export async function convert(session: Session, named: string, out: string, options: ConvertOptions): Promise<number> {
  const { io } = session;
  if (out === "-") throw new UsageError("a LoRA is not printed to stdout", "name a file, or for peft a folder");
  const [from, path] = [inputOf(io, named), outputOf(io, out, options)];
  try {
    const converted = await convertLora(from, { to: options.to, dtype: options.dtype ?? null, out: path });
    tell(session, reportWithoutLines(named, converted.warnings), converted, options);
    return exitCode.ok;
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    const reports = [reportWithoutLines(named, error.findings)];
    if (session.json) printReport(session, reports, "json");
    else printFindings(session, reports);
    return exitCode.findings;
  }
}

function tell(session: Session, report: FileReport, converted: Converted, { to }: ConvertOptions): void {
  const { io, json, quiet } = session;
  const { from, layers, ranks } = converted;
  const files = converted.files.map((file) => relative(io.cwd, file) || file);
  if (json) {
    const warnings = converted.warnings.map(({ code, message }) => ({ code, message }));
    return sayJson(session, { files, from, to, layers, ranks, warnings });
  }
  if (report.diagnostics.length > 0) printFindings(session, [report]);
  if (quiet) return io.out(`${files.join("\n")}\n`);
  const rank = ranks.length === 1 ? `rank ${ranks.join()}` : `ranks ${ranks.join(", ")}`;
  say(session, `${layers} ${layers === 1 ? "layer" : "layers"} of ${rank}, ${from} → ${to}: ${files.join(", ")}`);
  if (to === "peft" && files.length === 1)
    say(session, "PEFT needs an adapter_config.json, too: name a folder to get both");
}
