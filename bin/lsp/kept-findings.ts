/** What only files told of a run config, while somebody types: they are looked at again when it is saved. */
import type { Diagnostic } from "vscode-languageserver";

interface Kept {
  readonly finding: Diagnostic;
  /** The line that it is about. */
  readonly line: string;
}

/** Whether two findings say the same; their places may have moved. */
const isSame = (a: Diagnostic, b: Diagnostic): boolean => a.code === b.code && a.message === b.message;

export class KeptFindings {
  readonly #byUri = new Map<string, readonly Kept[]>();

  /** `all`: with those that only files tell; `quick`: without them. */
  keep(uri: string, text: string, all: readonly Diagnostic[], quick: readonly Diagnostic[]): void {
    const lines = text.split("\n");
    const slow = all.filter((finding) => !quick.some((other) => isSame(finding, other)));
    this.#byUri.set(
      uri,
      slow.map((finding) => ({ finding, line: lines[finding.range.start.line] ?? "" })),
    );
  }

  /** Those whose line is still there, where it is now. */
  of(uri: string, text: string): readonly Diagnostic[] {
    const lines = text.split("\n");
    return (this.#byUri.get(uri) ?? []).flatMap(({ finding, line }) => {
      const { start, end } = finding.range;
      const now = lines[start.line] === line ? start.line : lines.indexOf(line);
      return now < 0
        ? []
        : [
            {
              ...finding,
              range: { start: { ...start, line: now }, end: { ...end, line: end.line + now - start.line } },
            },
          ];
    });
  }

  forget(uri: string): void {
    this.#byUri.delete(uri);
  }
}
