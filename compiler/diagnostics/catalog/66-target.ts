import type { Entry } from "./entry.ts";

/** What `ltxc compile --target ltx-trainer` refuses. */
export const entries = [
  {
    code: "LTX6606",
    slug: "unknown-target",
    title: "There is no such target",
    explanation:
      "`ltxc compile` makes builds for `ltxc run` (the target `ltxc`, if none is named), and Python modules for the official trainer (the target `ltx-trainer`).",
    bad: "ltxc compile --target ltx-trianer",
    good: "ltxc compile --target ltx-trainer",
  },
] as const satisfies readonly Entry[];
