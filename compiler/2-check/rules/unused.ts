import { wordFor, type Declarations } from "../declarations.ts";
import type { Report } from "../report.ts";

/** Names that nothing uses: most often a mistyped use of them. */
export function unused({ byName, used }: Declarations, report: Report): void {
  for (const { kind, name } of byName.values()) {
    // A pass that nothing reads is an error of its own; data sets are trained on, whether asked for or not.
    if (used.has(name.text) || kind === "pass" || kind === "dataset") continue;
    const help = kind === "source" ? "its files would be loaded and thrown away; remove it" : "use it or remove it";
    report.warning("LTX5003", name.span, `the ${wordFor[kind]} \`${name.text}\` is never used`, { help });
  }
}
