import { dirname, resolve } from "node:path";
import { compile, type Program, type ProbedValue, type Library } from "../../compiler/index.ts";
import { entryOf, type Diagnostic } from "../../compiler/diagnostics/index.ts";
import { projectRootOf, type SourceFile } from "../../compiler/source/index.ts";
import type { Step } from "../../runtime/contract.ts";
import { loadStep } from "../project/load-step.ts";
import type { Guard } from "../trust/guard.ts";

/** A compiled strategy whose values can be read. */
export interface Subject {
  readonly file: SourceFile;
  readonly program: Program;
  /** Has `probe`. */
  readonly step: Step;
  /** The values that `probe` gives, in its order. */
  readonly probed: readonly ProbedValue[];
}

/** Compiles a strategy with a `probe`; no subject if a finding is an error, or if `guard` does not let run what it imports. */
export async function openSubject(
  library: Library,
  source: SourceFile,
  guard: Pick<Guard, "imports">,
): Promise<{
  readonly subject: Subject | null;
  readonly file: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
}> {
  const compiled = await compile(source, { probe: true, library });
  const { program, file, diagnostics } = compiled;
  if (program === null) return { subject: null, file, diagnostics };
  const root = library.root ?? "";
  const [first] = program.imports;
  if (first !== undefined) {
    const files = [...[file, ...file.bases].map(({ path }) => resolve(root, path)), ...compiled.imported];
    const refused = await guard.imports({ project: projectRootOf(dirname(resolve(root, file.path))), files });
    if (refused !== null) {
      const { slug } = entryOf(refused.code);
      const finding = { ...refused, slug, severity: "error", span: first.span, labels: [] } as const;
      return { subject: null, file, diagnostics: [...diagnostics, finding] };
    }
  }
  const step = await loadStep(compiled.artifacts, root);
  return { subject: { file, program, step, probed: program.probe?.values ?? [] }, file, diagnostics };
}
