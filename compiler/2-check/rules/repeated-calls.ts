/** Passes that call the model with the same weights as another call does, and give it the same. */
import type { PassContext } from "../passes.ts";
import type { Report } from "../report.ts";

/**
 * Compares what is written: overrides with the same text are the same values, since what a pass does not write is the step's own. A pass
 * without any override and with the trained weights is the step's own call.
 */
export function repeatedCalls(passes: readonly PassContext[], report: Report): void {
  const known = new Map<string, PassContext | null>([[given("trained", {}), null]]);
  for (const pass of passes) {
    const { video, audio, gradient, adapters, isOdd } = pass.syntax;
    // What a slip means is not known.
    if (isOdd || (typeof adapters?.value === "string" && adapters.value !== "ema")) continue;
    const key = given(pass.weights, { video, audio, gradient });
    const same = known.get(key);
    if (same === undefined) known.set(key, pass);
    else if (!report.hasErrorAt(pass.syntax.name.span)) sayRepeated(pass, same, report);
  }
}

function sayRepeated(
  { name, syntax, weights, modalities }: PassContext,
  same: PassContext | null,
  report: Report,
): void {
  const what = same === null ? "the step's own call" : `\`${same.name}\``;
  const read = `${same === null ? "" : `${same.name}.`}${modalities[0]?.name ?? "video"}.prediction`;
  const help =
    weights === "trained"
      ? `for the base model's prediction write \`adapters: false\`; otherwise give it something of its own, such as another \`text\`, or read \`${read}\``
      : `read \`${read}\` in its place, or give it something of its own`;
  report.error(
    "LTX5110",
    syntax.name.span,
    `the pass \`${name}\` is given the same as ${what}, and predicts the same`,
    {
      help,
      ...(same === null ? {} : { labels: [{ span: same.syntax.name.span, message: "the same call" }] }),
    },
  );
}

/** The same text for calls with the same weights and overrides, wherever in the file they stand. */
function given(weights: PassContext["weights"], overrides: Readonly<Record<string, unknown>>): string {
  const written = Object.entries(overrides).filter(([, value]) => value !== null);
  const withoutPlaces = (key: string, value: unknown) => (/span$/i.test(key) || value === null ? undefined : value);
  return JSON.stringify([weights, Object.fromEntries(written)], withoutPlaces);
}
