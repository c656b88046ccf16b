import { toJson, type FileReport } from "../../compiler/diagnostics/index.ts";
import type { SourceFile } from "../../compiler/source/index.ts";
import { openEngine } from "../../runtime/index.ts";
import { readSources, strategyPaths } from "../shell/files.ts";
import { libraryAt, pathsOf } from "../project/library.ts";
import { openSubject } from "../probe/subject.ts";
import { codeOf, printFindings } from "../shell/print-findings.ts";
import { say, sayJson, type Session } from "../shell/session.ts";
import { guardOf } from "../trust/guard.ts";
import { tryOut } from "../trial/try-out.ts";

export interface TestOptions {
  readonly seed: number;
}

interface Tested extends FileReport {
  /** Number of batches that it was tried on; 0 if it does not compile. */
  readonly batches: number;
  readonly expectations: number;
}

async function testFile(session: Session, source: SourceFile, { seed }: TestOptions): Promise<Tested> {
  const { subject, file, diagnostics } = await openSubject(
    libraryAt(session.io.cwd, source.path),
    source,
    guardOf(session.io, session),
  );
  if (subject === null) return { file, diagnostics, batches: 0, expectations: 0 };
  const { engine } = await openEngine("cpu");
  const trial = await tryOut(engine, subject, seed, diagnostics);
  const expectations = subject.probed.filter(({ key }) => /^(expect|share)\[\d+\]$/.test(key)).length;
  return { file, diagnostics: [...diagnostics, ...trial.diagnostics], batches: trial.batches, expectations };
}

function summary({ file, diagnostics, batches, expectations }: Tested): string {
  const count = (severity: string) => diagnostics.filter((finding) => finding.severity === severity).length;
  const [wrong, doubtful] = [count("error"), count("warning")];
  const expected = expectations === 1 ? "1 expectation" : `${expectations || "no"} expectations`;
  const verdict = wrong === 0 ? "ok" : `${wrong} ${wrong === 1 ? "check fails" : "checks fail"}`;
  const warned = doubtful === 0 ? "" : `, ${doubtful} ${doubtful === 1 ? "warning" : "warnings"}`;
  return `${file.path}: ${verdict}, ${batches} batches, ${expected}${warned}`;
}

/** `ltxc test`: tries strategies on batches made for them. */
export async function test(session: Session, named: readonly string[], options: TestOptions): Promise<number> {
  const { files: sources, unread } = await readSources(
    session.io,
    await strategyPaths(session.io, pathsOf(session.io, named), "test"),
  );
  const tested: Tested[] = unread.map((report) => ({ ...report, batches: 0, expectations: 0 }));
  for (const source of sources) tested.push(await testFile(session, source, options));
  if (session.json) {
    const files = tested.map(({ file, batches, expectations }) => ({ path: file.path, batches, expectations }));
    sayJson(session, { ...toJson(tested), files });
    return codeOf(tested);
  }
  printFindings(session, tested);
  for (const each of tested) if (each.batches > 0) say(session, summary(each));
  return codeOf(tested);
}
