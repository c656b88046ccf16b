/** Finds the official trainer on this machine. Nothing of it runs before a run is asked for. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Finding } from "../../runtime/findings.ts";
import type { Io } from "../shell/io.ts";

export interface Installation {
  /** The interpreter: a path, or a name on PATH. */
  readonly python: string;
  /** Folders that its packages are imported from, in addition to its own. */
  readonly paths: readonly string[];
  readonly hasAccelerate: boolean;
  /** NVIDIA GPUs that PyTorch can use. */
  readonly gpus: number;
}

/** Where a folder may have its interpreter, and its packages. */
const pythons = ["bin/python", "Scripts/python.exe", ".venv/bin/python", ".venv/Scripts/python.exe"];
const packageFolders = [
  ".",
  "packages/ltx-core/src",
  "packages/ltx-trainer/src",
  "ltx-core/src",
  "ltx-trainer/src",
  "src",
];

const question = `
import importlib.util as find, json
found = {name: find.find_spec(name) is not None for name in ("ltx_trainer", "ltx_core", "torch", "accelerate")}
if found["torch"]:
    import torch
    found["gpus"] = torch.cuda.device_count()
print(json.dumps(found))
`;

type Answer = Readonly<Record<"ltx_trainer" | "ltx_core" | "torch" | "accelerate", boolean>> & {
  readonly gpus?: number;
};

/**
 * The official trainer in the environment or the checkout `folder`, or that of the Python on PATH.
 * @returns a finding LTX6608 where there is none
 */
export async function findInstallation(io: Pick<Io, "env">, folder: string | null): Promise<Installation | Finding> {
  const inside = (names: readonly string[]) =>
    folder === null ? [] : names.map((name) => join(folder, name)).filter((path) => existsSync(path));
  const [python = "python3"] = inside(pythons);
  const paths = inside(packageFolders).filter((path) =>
    ["ltx_trainer", "ltx_core"].some((name) => existsSync(join(path, name))),
  );
  const answer = await ask(python, environmentWith(io.env, paths));
  if (typeof answer === "string") return missing(folder, `${python} does not run: ${answer}`);
  const lacks = (["ltx_trainer", "ltx_core", "torch"] as const).filter((name) => !answer[name]);
  if (lacks.length > 0) return missing(folder, `${python} has no ${lacks.join(", no ")}`);
  return { python, paths, hasAccelerate: answer.accelerate, gpus: answer.gpus ?? 0 };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of a process that also imports from these folders. */
export function environmentWith(env: Environment, paths: readonly string[]): Record<string, string> {
  const all = [...paths, env["PYTHONPATH"] ?? ""].filter((path) => path !== "");
  const own = Object.entries({ ...process.env, ...env }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  return { ...Object.fromEntries(own), ...(all.length === 0 ? {} : { PYTHONPATH: all.join(delimiter) }) };
}

/** Its answer, or why there is none. */
function ask(python: string, env: Record<string, string>): Promise<Answer | string> {
  const child = spawn(python, ["-c", question], { env, stdio: ["ignore", "pipe", "pipe"] });
  const text = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (part: string) => (text.out += part));
  child.stderr.setEncoding("utf8").on("data", (part: string) => (text.err += part));
  return new Promise((done) => {
    child.once("error", ({ message }) => done(message));
    child.once("close", (code) => done(code === 0 ? readAnswer(text.out) : lastLine(text.err)));
  });
}

function readAnswer(text: string): Answer | string {
  try {
    return JSON.parse(lastLine(text)) as Answer;
  } catch {
    return `it says ${lastLine(text)}`;
  }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

function missing(folder: string | null, why: string): Finding {
  const place = folder === null ? "on PATH" : `in ${folder}`;
  return {
    code: "LTX6608",
    severity: "error",
    path: ["runtime", folder === null ? "engine" : "ltx_trainer"],
    message: `there is no official trainer ${place}: ${why}`,
    help:
      "(1) get the packages ltx-core and ltx-trainer 1.2, of the repository Lightricks/LTX-2; " +
      "(2) install them with what they need: `uv sync` there, or pip in an environment of Python; " +
      "(3) write `ltx_trainer: PATH` below `runtime`, the path of that checkout or environment",
  };
}
