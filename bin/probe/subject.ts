import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { compile, type Program, type ProbedValue, type Artifact, type Library } from "../../compiler/index.ts";
import type { Diagnostic } from "../../compiler/diagnostics/index.ts";
import type { SourceFile } from "../../compiler/source/index.ts";
import type { Step } from "../../runtime/contract.ts";

/** A compiled strategy whose values can be read. */
export interface Subject {
  readonly file: SourceFile;
  readonly program: Program;
  /** Has `probe`. */
  readonly step: Step;
  /** The values that `probe` gives, in its order. */
  readonly probed: readonly ProbedValue[];
}

/** Compiles a strategy with a `probe`; no subject if a finding is an error. */
export async function openSubject(
  library: Library,
  source: SourceFile,
): Promise<{
  readonly subject: Subject | null;
  readonly file: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
}> {
  const { program, artifacts, file, diagnostics } = await compile(source, { probe: true, library });
  if (program === null) return { subject: null, file, diagnostics };
  const probed = program.probe?.values ?? [];
  return { subject: { file, program, step: await load(artifacts), probed }, file, diagnostics };
}

/** Loads it from temporary files, so that stack traces can point into the strategy. */
async function load(artifacts: readonly Artifact[]): Promise<Step> {
  process.setSourceMapsEnabled(true);
  Error.stackTraceLimit = 60;
  const folder = await mkdtemp(join(tmpdir(), "ltxc-probe-"));
  try {
    for (const { name, text } of artifacts) await writeFile(join(folder, name), text);
    const module = artifacts.find(({ name }) => name.endsWith(".mjs"))?.name ?? "";
    const step: Step = await import(pathToFileURL(join(folder, module)).href);
    return step;
  } finally {
    await rm(folder, { recursive: true });
  }
}
