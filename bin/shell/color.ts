import picocolors from "picocolors";

export type ColorChoice = "auto" | "always" | "never";
export type Colors = ReturnType<typeof picocolors.createColors>;

/** `--color` decides; on `auto` NO_COLOR and FORCE_COLOR do (no-color.org, force-color.org), else whether `isTerminal`. */
export function wantsColor(
  choice: ColorChoice,
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (choice !== "auto") return choice === "always";
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return isTerminal && env["TERM"] !== "dumb";
}

export function colors(enabled: boolean): Colors {
  return picocolors.createColors(enabled);
}
