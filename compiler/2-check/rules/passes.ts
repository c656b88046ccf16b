/** Passes that cost a call of the model for nothing, and losses of them that train nothing. */
import type { Binding, CheckedLoss } from "../checked.ts";
import { childrenOf, type Core } from "../core.ts";
import { allNodes } from "../dependencies.ts";
import { passesRead, type PassContext } from "../passes.ts";
import type { ModalityContext } from "../modality.ts";
import type { Span } from "../../source/span.ts";
import { spanOf, type Report } from "../report.ts";
import { constantAlone } from "./constant-alone.ts";
import { frozenKeys } from "./frozen-keys.ts";
import { carries } from "./no-gradient.ts";
import { repeatedCalls } from "./repeated-calls.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** A pass whose predictions neither a loss nor a call that is needed reads. */
export function unreadPasses(
  passes: readonly PassContext[],
  losses: readonly CheckedLoss[],
  contexts: readonly ModalityContext[],
  bindings: Bindings,
  report: Report,
): void {
  const fields = ["sigma", "noisy", "target"].flatMap((field) => contexts.map(({ owner }) => `${owner}.${field}`));
  const roots = [...losses.map(({ core }) => core), ...fields.flatMap((key) => bindings.get(key)?.core ?? [])];
  const read = new Set(roots.flatMap((core) => [...passesRead(core, bindings)]));
  // What only a pass is given that nothing reads is needed once that is read.
  for (const pass of passes.filter(({ name }) => !read.has(name)))
    for (const input of inputsOf(pass, bindings))
      for (const name of passesRead(input, bindings)) if (name !== pass.name) read.add(name);
  for (const { name, syntax, modalities } of passes) {
    if (read.has(name) || report.hasErrorAt(syntax.name.span)) continue;
    const [first] = modalities;
    report.error("LTX5061", syntax.name.span, `no loss reads what the pass \`${name}\` predicts`, {
      help: `it would cost a call of the model in every step: read \`${name}.${first?.name ?? "video"}.prediction\` in a loss, or remove the pass`,
    });
  }
}

export function passRules(
  passes: readonly PassContext[],
  losses: readonly CheckedLoss[],
  bindings: Bindings,
  report: Report,
): void {
  for (const { syntax, contexts } of passes) {
    for (const context of contexts.values()) {
      const written = syntax[context.syntax.name];
      if (written !== null) frozenKeys({ ...context, syntax: written }, report);
    }
  }
  constantLosses(losses, bindings, report);
  idleGradient(passes, bindings, report);
  repeatedCalls(passes, report);
}

/** Terms made of predictions that are constant to the gradient, and of no other. */
function constantLosses(losses: readonly CheckedLoss[], bindings: Bindings, report: Report): void {
  for (const { core, span } of losses) {
    const found = constantAlone(core, bindings);
    if (found === null) continue;
    const { pass, what } = found;
    report.error(
      "LTX5060",
      span,
      `this term reads predictions that are constant to the gradient alone, so it trains nothing`,
      {
        help: `\`${pass}\` predicts with ${what}; compare it with \`video.prediction\`, or with a pass that has the trained weights`,
      },
    );
  }
}

/** `gradient: through` where nothing comes through: the weights are not trained, or nothing of another call is handed over. */
function idleGradient(passes: readonly PassContext[], bindings: Bindings, report: Report): void {
  for (const { name, syntax, weights, overridden } of passes) {
    const { gradient } = syntax;
    if (gradient === null) continue;
    if (weights !== "trained") {
      report.error("LTX5066", gradient.span, `no gradient comes through \`${name}\`: what it predicts is constant`, {
        help: "remove `gradient`, or `adapters`",
      });
      continue;
    }
    const handed = inputsOf({ name, overridden }, bindings);
    // What has an error may be what another call predicts; it is no value.
    const isWhole = handed.length === overridden.size;
    if (!isWhole || handed.some((core) => carries(core, bindings))) continue;
    report.error("LTX5066", gradient.span, `\`${name}\` is given nothing that another call predicts`, {
      help: "remove `gradient`; it says that gradients flow into the call whose prediction this one is given",
    });
  }
}

/** What a pass is given in place of the step's own values. */
const inputsOf = (
  { name, overridden }: Pick<PassContext, "name" | "overridden">,
  bindings: Bindings,
): readonly Core[] => [...overridden].flatMap((key) => bindings.get(`${name}.${key}`)?.core ?? []);

/** The values of a strategy, with those of its passes made as they are asked for. */
interface Values {
  readonly bindings: { readonly finished: Bindings };
  ofPass(pass: string | null, key: string, span: Span): Core | null;
}

/** A prediction compared with the target of a call that has another one. */
export function targetOfAnother(
  losses: readonly CheckedLoss[],
  passes: readonly PassContext[],
  values: Values,
  report: Report,
): void {
  if (passes.length === 0) return;
  const terms = losses.map(({ core }) => core);
  for (const node of allNodes(terms, values.bindings.finished))
    if (node.op === "map" && node.fn === "sub") compare(node.args, values, report);
}

/** `lose.video.prediction`: the pass, null for the step's own call, and the modality; null for any other value. */
function fieldOf(core: Core, field: string): { readonly pass: string | null; readonly modality: string } | null {
  if (core.op !== "ref") return null;
  const [, pass = null, modality = "", name] = /^(?:(\w+)\.)?(video|audio)\.(\w+)$/.exec(core.key) ?? [];
  return name === field ? { pass, modality } : null;
}

function compare(args: readonly Core[], values: Values, report: Report): void {
  const find = (field: string) => args.map((core) => ({ core, of: fieldOf(core, field) })).find(({ of }) => of);
  const [prediction, given] = [find("prediction"), find("target")];
  if (!prediction?.of || !given?.of || prediction.of.modality !== given.of.modality) return;
  const { pass, modality } = prediction.of;
  const wanted = values.ofPass(pass, `${modality}.target`, spanOf(given.core));
  const { finished } = values.bindings;
  if (wanted === null || madeOf(wanted, finished) === madeOf(given.core, finished)) return;
  const owner = pass === null ? modality : `${pass}.${modality}`;
  report.warning("LTX5064", spanOf(given.core), `\`${owner}.prediction\` is compared with the target of another call`, {
    help: `what it should predict is \`${owner}.target\``,
  });
}

/** The same text for the same value, whichever passes the values are of that it is made of. */
function madeOf(core: Core, bindings: Bindings): string {
  const made = core.op === "ref" ? bindings.get(core.key)?.core : undefined;
  if (core.op === "ref" && (made === undefined || /^\w+(\.\w+)?$/.test(core.key))) return core.key;
  if (made !== undefined) return madeOf(made, bindings);
  const { span: _, type: __, ...rest } = core;
  const own = JSON.stringify(rest, (key, value: unknown) =>
    typeof value === "object" && key !== "" ? undefined : value,
  );
  return `${own}(${childrenOf(core)
    .map((child) => madeOf(child, bindings))
    .join()})`;
}
