/** Compares what `ltxc check` says of an input with what `ltxc run` says of it. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ltxc } from "../testing.ts";
import type { BrokenInput } from "./broken-input.ts";

/** A finding as one line: severity, code, message and help. */
type Line = string;

/** What a command said of a project: its exit code, and its findings. For a run, those before its first step apart from those of it. */
interface Said {
  readonly code: number;
  readonly lines: ReadonlySet<Line>;
  readonly later: ReadonlySet<Line>;
  readonly text: string;
}

interface Found {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly help?: string;
}

interface Printed {
  readonly type?: string;
  readonly diagnostics?: readonly Found[];
  /** Of a warning among the events of a run. */
  readonly finding?: Found;
}

/** What an error says of a run that began is left out: nothing of it was there beforehand. */
const lineOf = ({ severity, code, message, help = "" }: Found): Line =>
  `${severity} ${code} ${message} (${help.replace("no step was finished; ", "")})`;

const linesOf = (printed: readonly Printed[]): ReadonlySet<Line> =>
  new Set(
    printed.flatMap(({ diagnostics = [], finding }) =>
      [...diagnostics, ...(finding === undefined ? [] : [finding])].map(lineOf),
    ),
  );

async function saidBy(cwd: string, args: readonly string[]): Promise<Said> {
  const { code, out, err } = await ltxc([...args, "--json"], { cwd });
  const text = out + err;
  if (code === 70) return { code, lines: new Set(), later: new Set(), text };
  const objects = args[0] === "run" ? out.split("\n").filter((line) => line.startsWith("{")) : [out];
  const printed = objects.map((object) => JSON.parse(object) as Printed);
  const first = printed.findIndex(({ type }) => type === "step");
  const end = first === -1 ? printed.length : first;
  return { code, lines: linesOf(printed.slice(0, end)), later: linesOf(printed.slice(end)), text };
}

/** Strategies are compiled before they run; what that refuses counts as the run's. */
async function compiledAndRun(cwd: string): Promise<Said> {
  const compiled = await saidBy(cwd, ["compile"]);
  return compiled.code === 0 ? saidBy(cwd, ["run"]) : compiled;
}

/** What both commands said of a copy of the project `sound` that an input has changed. */
async function bothOf(sound: string, { arrange, after }: BrokenInput) {
  const cwd = await mkdtemp(join(tmpdir(), "ltxc-broken-"));
  try {
    await cp(sound, cwd, { recursive: true });
    await arrange(cwd);
    return { checked: await saidBy(cwd, ["check", "train.yaml"]), ran: await compiledAndRun(cwd) };
  } finally {
    await after?.();
    await rm(cwd, { recursive: true, force: true });
  }
}

const codesOf = (lines: ReadonlySet<Line>): ReadonlySet<string> =>
  new Set([...lines].flatMap((line) => line.split(" ")[1] ?? []));
const errorsOf = (lines: ReadonlySet<Line>): ReadonlySet<Line> =>
  new Set([...lines].filter((line) => line.startsWith("error ")));
const without = (lines: ReadonlySet<string>, others: ReadonlySet<string>): readonly string[] =>
  [...lines].filter((line) => !others.has(line));

/** Lines that only one of the two commands said; null where they said the same. */
function difference(checked: ReadonlySet<Line>, ran: ReadonlySet<Line>): string | null {
  const lines = [
    ...without(checked, ran).map((line) => `only check: ${line}`),
    ...without(ran, checked).map((line) => `only run: ${line}`),
  ];
  return lines.length === 0 ? null : lines.join("\n");
}

/**
 * What a run stopped at and `check` had not seen, or that they disagree in another way; null where `check` foresaw the run, in the same
 * words.
 */
export async function unforeseen(sound: string, broken: BrokenInput): Promise<string | null> {
  const { checked, ran } = await bothOf(sound, broken);
  if (checked.code === 70 || ran.code === 70) return checked.text + ran.text;
  if (ran.code === 0) return "the run does not stop";
  if (broken.says !== undefined) return codesOf(checked.lines).has(broken.says) ? null : `check: ${checked.text}`;
  if (broken.isMetLater === true) {
    const missed = [
      ...without(ran.lines, checked.lines),
      ...without(codesOf(errorsOf(ran.later)), codesOf(checked.lines)),
    ];
    return missed.length === 0 ? null : `unforeseen: ${missed.join("\n")}\n${checked.text}`;
  }
  if (broken.isMild !== true) return difference(checked.lines, ran.lines);
  const mild = [...ran.lines].map((line) => line.replace(/^error /, "warning "));
  return checked.code !== 0 ? `check ends with ${checked.code}` : difference(checked.lines, new Set(mild));
}

/** How `check` and a run that trains differ in what they say of an input; null where both say the same, and something. */
export async function toldApart(sound: string, input: BrokenInput): Promise<string | null> {
  const { checked, ran } = await bothOf(sound, input);
  if (checked.code !== 0 || ran.code !== 0) return `check ${checked.code}, run ${ran.code}\n${checked.text}${ran.text}`;
  return checked.lines.size === 0 ? "nothing is said of it" : difference(checked.lines, ran.lines);
}
