import { catalog, lookUp, didYouMean, type CatalogEntry } from "../../compiler/diagnostics/index.ts";
import type { Colors } from "../shell/color.ts";
import { exitCode, UsageError } from "../shell/exit.ts";
import { wrap } from "../shell/text.ts";
import { paint, sayJson, type Session } from "../shell/session.ts";

const width = 96;

function sample(colors: Colors, label: string, text: string): string {
  const lines = text.trimEnd().split("\n");
  return [colors.bold(label), "", ...lines.map((line) => (line === "" ? "" : `    ${line}`))].join("\n");
}

function page(colors: Colors, entry: CatalogEntry): string {
  return [
    `${colors.bold(entry.code)}: ${entry.title}  ${colors.dim(entry.slug)}`,
    wrap(entry.explanation, width),
    sample(colors, "Refused:", entry.bad),
    sample(colors, "Accepted:", entry.good),
  ].join("\n\n");
}

function list(colors: Colors): string {
  return catalog.map((entry) => `${colors.bold(entry.code)}  ${entry.title}`).join("\n");
}

/** `ltxc explain`: one entry of the catalog of codes, or all titles. Codes may be written in any case, without LTX, or as slugs. */
export async function explain(session: Session, code: string | null): Promise<number> {
  const entry = code === null ? null : lookUp(code);
  if (code !== null && entry === null) {
    const names = catalog.flatMap((entry) => [entry.code, entry.slug]);
    throw new UsageError(
      `there is no code \`${code}\``,
      didYouMean(code, names) ?? "`ltxc explain` without a code lists them all",
    );
  }
  if (session.json) sayJson(session, entry ?? catalog);
  else session.io.out(`${entry === null ? list(paint(session)) : page(paint(session), entry)}\n`);
  return exitCode.ok;
}
