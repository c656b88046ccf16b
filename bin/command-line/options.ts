/** Options and arguments that several commands have. */
import { InvalidArgumentError, Option } from "commander";
import { UsageError } from "../shell/exit.ts";
import type { Session } from "../shell/session.ts";

/** Settings of a run config, given on the command line. */
export const setOption = (): Option =>
  new Option(
    "--set <key=value>",
    "a setting that replaces the run config's, e.g. optimization.steps=100; repeatable",
  ).argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), withValue(text)]);

/** @throws UsageError where the value was left out, or stands apart */
function withValue(text: string): string {
  if (text.includes("=")) return text;
  const name = text.replace(/:$/, "");
  const help = async () => {
    const { settingOf } = await import("../../runtime/config/index.ts");
    const setting = settingOf(name)?.to ?? name;
    return `write both in one word, with \`=\` between them: \`--set ${setting}=VALUE\``;
  };
  throw new UsageError(`\`--set ${text}\` is not a setting and its value`, help);
}

/** Another TypeScript for `--types`. */
export const typescriptOption = (): Option =>
  new Option(
    "--typescript <path>",
    "--types with this TypeScript, the folder of its package, in place of the one installed next to ltxc",
  );

/** Reads a count. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("it is a whole number, 0 or more");
}

export interface Watched {
  readonly watch?: true;
}

/** Do it again after every change. */
export const watchOption = (): Option =>
  new Option(
    "--watch",
    "do it again whenever a strategy, a run config or an imported file below this folder changes, until Ctrl-C",
  );

/** Runs a command, with `--watch` again and again; resolves to its last exit code. */
export async function onceOrWatching(
  session: Session,
  { watch }: Watched,
  once: (session: Session) => Promise<number>,
): Promise<number> {
  if (watch !== true) return once(session);
  const { whileWatching } = await import("../shell/watch.ts");
  return whileWatching(session, () => once(session));
}
