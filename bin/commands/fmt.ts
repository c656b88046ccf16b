import { toJson } from "../../compiler/diagnostics/index.ts";
import { format, type Formatted } from "../../compiler/format/format.ts";
import { upgrade } from "../../compiler/format/upgrade.ts";
import { sourceFile } from "../../compiler/source/index.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { readSources, strategyPaths } from "../shell/files.ts";
import { codeOf, printFindings } from "../shell/print-findings.ts";
import { say, sayJson, type Session } from "../shell/session.ts";
import { replaceText } from "../shell/write.ts";

export interface FmtOptions {
  readonly check?: true;
  /** Whether to rewrite files for the newest version of the language, too. */
  readonly upgrade?: true;
  /** The name for findings about stdin. */
  readonly stdinFilepath: string;
}

const stdin = "-";

const isChanged = ({ file, text }: Formatted): boolean => text !== null && text !== file.text;

/** Formats stdin to stdout; with `check` it only reports, by findings and the exit code. */
async function formatInput(
  session: Session,
  { check, stdinFilepath, upgrade: isUpgrade }: FmtOptions,
): Promise<number> {
  const { io } = session;
  const apply = isUpgrade === true ? upgrade : format;
  const result = apply(sourceFile(stdinFilepath, await io.readInput()));
  printFindings(session, [result]);
  if (result.text !== null && check !== true) io.data(result.text);
  return check === true && isChanged(result) ? exitCode.findings : codeOf([result]);
}

function report(session: Session, results: readonly Formatted[], check: boolean): void {
  const changed = results.filter(isChanged).map(({ file }) => file.path);
  if (session.json) return sayJson(session, { ...toJson(results), changed });
  printFindings(session, results);
  if (check) session.io.out(changed.map((path) => `${path} is not formatted\n`).join(""));
  else for (const path of changed) say(session, `formatted ${path}`);
  if (changed.length === 0 && codeOf(results) === exitCode.ok) say(session, "nothing to format");
}

/** `ltxc fmt`: formats strategies. Files that cannot be parsed are left as they are; with `--check` all files are. */
export async function fmt(session: Session, named: readonly string[], options: FmtOptions): Promise<number> {
  const { io } = session;
  if (named.includes(stdin)) {
    if (named.length > 1) throw new UsageError("`-` is stdin, and stands alone");
    return formatInput(session, options);
  }
  const { files, unread } = await readSources(io, await strategyPaths(io, named, "fmt"));
  const results: Formatted[] = [
    ...files.map(options.upgrade === true ? upgrade : format),
    ...unread.map((report) => ({ ...report, text: null })),
  ];
  const check = options.check === true;
  if (!check)
    for (const { file, text } of results.filter(isChanged)) await replaceText(io, file.path, text ?? file.text);
  report(session, results, check);
  return check && results.some(isChanged) ? exitCode.findings : codeOf(results);
}
