/** Trained tensors of the strategy's own: tokens that `insert` puts in front of those of a caption. */
import type { Expression } from "../1-parse/expression/ast.ts";
import type { WeightSyntax } from "../1-parse/syntax.ts";
import type { CheckedModality, CheckedWeight } from "./checked.ts";
import type { ModalityName } from "./core.ts";
import type { Declarations } from "./declarations.ts";
import type { PassContext } from "./passes.ts";
import type { Report } from "./report.ts";

/** As embeddings of words are spread, where the file does not say it. */
const usualStd = 0.02;

/** The weights with what the file says of each; what it says wrongly is reported. */
export function checkWeights(
  weights: readonly WeightSyntax[],
  declarations: Declarations,
  modalities: readonly CheckedModality[],
  passes: readonly PassContext[],
  report: Report,
): CheckedWeight[] {
  return weights.flatMap((syntax) => {
    if (declarations.byName.get(syntax.name.text)?.name.span !== syntax.name.span) return [];
    checkLike(syntax, declarations, report);
    const tokens = tokensOf(syntax, report);
    const start = startOf(syntax, report);
    const { text: name } = syntax.name;
    const trained = passes.filter((pass) => pass.weights === "trained").flatMap((pass) => pass.modalities);
    const inserting = insertedIn(name, [...modalities, ...passes.flatMap((pass) => pass.modalities)]);
    if (inserting.length > 0 && insertedIn(name, [...modalities, ...trained]).length === 0) untrained(syntax, report);
    if (tokens === null || start === null || inserting.length === 0) return [];
    return [{ name, modalities: inserting, tokens, ...start }];
  });
}

function insertedIn(name: string, modalities: readonly CheckedModality[]): ModalityName[] {
  const found = modalities.filter(({ inserted }) => inserted.some((names) => names.includes(name)));
  return [...new Set(found.map((modality) => modality.name))];
}

function untrained({ name }: WeightSyntax, report: Report): void {
  const message = `\`${name.text}\` is inserted only in passes whose predictions are constant, so nothing trains it`;
  report.error("LTX5070", name.span, message, {
    help: "insert it in the `text` of the step's own `video` or `audio`, or of a pass with the trained weights",
  });
}

function tokensOf({ name, axes }: WeightSyntax, report: Report): number | null {
  if (axes === null) return null;
  const [text, hidden, ...more] = axes.value;
  const tokens = text?.name === "text" ? text.length : null;
  const isWhole = tokens !== null && Number.isInteger(tokens) && tokens >= 1 && tokens <= mostTokens;
  if (isWhole && hidden?.name === "hidden" && hidden.length === null && more.length === 0) return tokens;
  report.error(
    "LTX5067",
    axes.span,
    `the axes of \`${name.text}\` are \`text\` with a number of tokens, and \`hidden\``,
    {
      help: `write \`axes: [text: 8, hidden]\`, with 1 to ${mostTokens} tokens, which no parameter can give; \`hidden\` is as wide as the caption's tokens`,
    },
  );
  return null;
}

/** As many as the longest captions have. */
const mostTokens = 1024;

function checkLike({ name, like }: WeightSyntax, { byName, refused, used }: Declarations, report: Report): void {
  if (like === null || refused.has(like.text)) return;
  const declaration = byName.get(like.text);
  if (declaration?.kind === "source" && declaration.sourceKind === "text_embeddings") {
    used.add(like.text);
    return;
  }
  const texts = [...byName.values()].flatMap((entry) =>
    entry.kind === "source" && entry.sourceKind === "text_embeddings" ? [entry.name.text] : [],
  );
  if (declaration === undefined) return void report.unknownName(like.text, like.span, texts);
  report.error("LTX5068", like.span, `\`like\` of \`${name.text}\` names a source of kind \`text_embeddings\``, {
    help: `write \`like: ${texts[0] ?? "conditions"}\`: the tokens of \`${name.text}\` are as wide as those`,
  });
}

function startOf({ name, init }: WeightSyntax, report: Report): Pick<CheckedWeight, "std" | "mean"> | null {
  if (init === null) return { std: usualStd, mean: 0 };
  if (init.kind === "error") return null;
  const value = numberOf(init);
  if (value !== null) return { std: 0, mean: value };
  const std = init.kind === "call" && init.callee.text === "randn" ? spreadOf(init) : null;
  if (std !== null && std >= 0) return { std, mean: 0 };
  report.error("LTX5069", init.span, `\`init\` of \`${name.text}\` is \`randn(s)\` or a number`, {
    help: "write `init: randn(0.02)`, normal numbers of this standard deviation, or `init: 0`",
  });
  return null;
}

function spreadOf({ args }: Extract<Expression, { kind: "call" }>): number | null {
  const [std, ...more] = args;
  if (std === undefined) return 1;
  return more.length === 0 && std.name === null ? numberOf(std.value) : null;
}

function numberOf(value: Expression): number | null {
  if (value.kind === "negate") {
    const operand = numberOf(value.operand);
    return operand === null ? null : -operand;
  }
  return value.kind === "number" && Number.isFinite(value.value) ? value.value : null;
}
