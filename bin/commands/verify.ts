import { dirname, relative, resolve } from "node:path";
import { entryOf, renderJson, visible, type Diagnostic, type FileReport } from "../../compiler/diagnostics/index.ts";
import { sourceFile } from "../../compiler/source/index.ts";
import type { Finding } from "../../runtime/findings.ts";
import {
  cannotRead,
  findFiles,
  nothingToVerify,
  notAFile,
  verifyFile,
  type FoundFile,
  type FoundFiles,
} from "../../runtime/verify/index.ts";
import { UsageError } from "../shell/exit.ts";
import type { Io } from "../shell/io.ts";
import { createMomentLine } from "../shell/moment-line.ts";
import { codeOf } from "../shell/print-findings.ts";
import { paint, say, type Session } from "../shell/session.ts";
import { bytes, duration, table } from "../shell/text.ts";

/** What came out for one file. */
interface Verified extends FoundFile {
  readonly findings: readonly Finding[];
}

/** `ltxc verify`: reads all files of checkpoints, data, runs and caches at the paths, and says which are whole. Exit code 1 if one is not, or if a path holds none. */
export async function verify(session: Session, paths: readonly string[]): Promise<number> {
  const { io } = session;
  const found = await Promise.all(paths.map((path) => findIn(io, path)));
  const verified = await verifyAll(
    session,
    found.flatMap(({ files }) => files),
  );
  const unread = found.flatMap((each, i) => unreadIn(each, paths[i] ?? ""));
  const all = [...verified.map(({ path, findings }) => [path, findings] as const), ...unread];
  const reports = all.map(([path, findings]) => reportOf(relativeTo(io, path), findings));
  if (session.json) io.out(renderJson(reports, { files: verified.map((file) => jsonOf(io, file)) }));
  else
    print(
      session,
      verified,
      unread.flatMap(([, findings]) => findings),
      found,
    );
  return codeOf(reports);
}

/** Findings about what could not be read at a path, each with its own path. */
function unreadIn({ files, closed, unfit }: FoundFiles, path: string): (readonly [string, readonly Finding[]])[] {
  const found = [
    ...closed.map((each) => [each.path, [cannotRead(each.path, each.reason)]] as const),
    ...unfit.map((each) => [each.path, [notAFile(each.path, each.what)]] as const),
  ];
  return files.length + found.length > 0 ? found : [[path, [nothingToVerify(path)]]];
}

async function findIn(io: Io, path: string): Promise<FoundFiles> {
  const found = await findFiles(resolve(io.cwd, path));
  if (found === null) throw new UsageError(`${path} does not exist`, "name a file or a folder");
  return found;
}

const relativeTo = (io: Io, path: string): string => {
  const shown = relative(io.cwd, path);
  return shown === "" ? "." : shown.startsWith("..") ? path : shown;
};

async function verifyAll(session: Session, files: readonly FoundFile[]): Promise<readonly Verified[]> {
  const progress = createProgress(session, files);
  const verified: Verified[] = [];
  try {
    for (const file of files) {
      verified.push({ ...file, findings: await verifyFile(file, progress.read) });
      progress.file();
    }
    return verified;
  } finally {
    progress.end();
  }
}

/** What is done and how long the rest takes. */
function createProgress(session: Session, files: readonly FoundFile[]) {
  const line = createMomentLine(session);
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const began = performance.now();
  let [done, read] = [0, 0];
  const draw = () =>
    line.show(() => {
      const left =
        read === 0 ? "" : `, ${duration((((performance.now() - began) / 1000) * (total - read)) / read)} left`;
      return `${done} of ${files.length} files, ${bytes(read)} of ${bytes(total)}${left}`;
    });
  return {
    read(count: number): void {
      read += count;
      draw();
    },
    file(): void {
      done++;
      draw();
    },
    end: line.clear,
  };
}

function reportOf(path: string, findings: readonly Finding[]): FileReport {
  const diagnostics = findings.map(({ code, severity, message, help }): Diagnostic => {
    const span = { start: 0, end: 0 };
    const entry = entryOf(code);
    return {
      code: entry.code,
      slug: entry.slug,
      severity,
      message,
      span,
      labels: [],
      ...(help === undefined ? {} : { help }),
    };
  });
  return { file: sourceFile(path, ""), diagnostics };
}

const isDamaged = ({ findings }: Verified): boolean => findings.some(({ severity }) => severity === "error");

const jsonOf = (io: Io, file: Verified) => ({
  path: relativeTo(io, file.path),
  kind: file.kind,
  bytes: file.bytes,
  status: isDamaged(file) ? ("damaged" as const) : ("whole" as const),
});

/** Findings one below the other, then a line for each folder, then what was left out. */
function print(
  session: Session,
  verified: readonly Verified[],
  unread: readonly Finding[],
  found: readonly FoundFiles[],
): void {
  const { io } = session;
  for (const finding of [...verified.flatMap(({ findings }) => findings), ...unread]) io.out(textOf(session, finding));
  const folders = new Map<string, Verified[]>();
  for (const file of verified) {
    const folder = dirname(file.path);
    folders.set(folder, folders.get(folder) ?? []);
    folders.get(folder)?.push(file);
  }
  const rows = [...folders].map(([folder, files]) => rowOf(relativeTo(io, folder), files));
  if (rows.length > 0) say(session, table(rows));
  const sum = (count: (each: FoundFiles) => number) => found.reduce((total, each) => total + count(each), 0);
  const [others, links] = [sum((each) => each.others), sum((each) => each.links)];
  if (others > 0) say(session, `skipped ${others} file${others === 1 ? "" : "s"} of other kinds`);
  if (links > 0) say(session, `skipped ${links} link${links === 1 ? "" : "s"}: name what they lead to`);
}

function rowOf(folder: string, files: readonly Verified[]): string[] {
  const damaged = files.filter(isDamaged).length;
  const size = bytes(files.reduce((sum, file) => sum + file.bytes, 0));
  const verdict = damaged === 0 ? "whole" : `${damaged} damaged, ${files.length - damaged} whole`;
  return [visible(folder), `${files.length} file${files.length === 1 ? "" : "s"}`, size, verdict];
}

function textOf(session: Session, { code, severity, message, help }: Finding): string {
  const colors = paint(session);
  const strong = severity === "error" ? colors.red : colors.yellow;
  const title = `${strong(colors.bold(`${severity}[${code}]`))}${colors.bold(`: ${visible(message)}`)}`;
  const rest = [...(help === undefined ? [] : [`help: ${visible(help)}`]), `explain: ltxc explain ${code}`];
  return `${[title, ...rest.map((line) => `  = ${line}`)].join("\n")}\n\n`;
}
