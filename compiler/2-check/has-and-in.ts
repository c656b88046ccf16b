/** What a strategy asks of its samples: `has(depth)`, whether they have a source, and `in(prior)`, whether they are of a data set. */
import type { Expression } from "../1-parse/expression/ast.ts";
import { failed, hasArguments, type Call } from "./call.ts";
import { map } from "./combine.ts";
import type { Environment } from "./environment.ts";
import { wordFor, type Declaration } from "./declarations.ts";
import { tensor, type Core } from "./core.ts";
import { replacement } from "../diagnostics/did-you-mean.ts";
import type { Span } from "../source/span.ts";

/** `bool[batch]`: the samples that have a source. */
export const hasSource = (source: string, span: Span | null = null): Core => ({
  op: "has",
  source,
  type: tensor("bool", ["batch"]),
  span,
});

/**
 * A value of a modality where samples have its latents. Where these are optional, samples that lack them enter as noise of level 1: the
 * model is told nothing of them.
 */
export function whereHad(
  { latents, env }: { readonly latents: string; readonly env: Environment },
  value: Core,
  otherwise: () => Core,
): Core {
  if (!env.declarations.optional.has(latents) || value.op === "error") return value;
  return map(env.report, "where", [hasSource(latents), value, otherwise()], null, "`latents`");
}

/** `has(depth)` */
export function has(call: Call): Core {
  const { env, span } = call;
  const { optional, used } = env.declarations;
  const asked = askedFor(call);
  if (asked === null) return failed(call);
  const { name, at, declaration } = asked;
  if (optional.has(name) && declaration?.kind === "source") {
    used.add(name);
    return hasSource(name, span);
  }
  const declare = `declare it under \`sources\`: \`${name}: {directory: …, kind: …, optional: true}\``;
  if (isNoName(asked, namesOf("source", env), env, declare)) return failed(call);
  if (declaration?.kind === "source") {
    used.add(name);
    // What its odd key means may be just this.
    if (declaration.syntax.isOdd) return failed(call);
    env.report.error("LTX5072", at, `every sample has \`${name}\`, so there is nothing to ask`, {
      help: "leave the condition out, or write `optional: true` at the source, so that samples without a file of it are kept",
      labels: [{ span: declaration.name.span, message: "not optional" }],
    });
    return failed(call);
  }
  env.report.error("LTX5072", at, `\`has\` asks for a source that is optional; ${whatItIs(asked)}`, {
    help: "write `has(depth)` for a source `depth: {…, optional: true}`",
  });
  return failed(call);
}

/** `if depth then …` of an optional source: false for any other condition. */
export function reportSourceAsMask(condition: Expression, { declarations, report }: Environment): boolean {
  if (condition.kind !== "name" || !declarations.optional.has(condition.name)) return false;
  declarations.used.add(condition.name);
  report.error("LTX4001", condition.span, `\`${condition.name}\` is a source, not a mask`, {
    help: `the samples that have it are the mask \`has(${condition.name})\``,
    fix: replacement(condition.span, `has(${condition.name})`),
  });
  return true;
}

/** `in(prior)` */
export function inDataset(call: Call): Core {
  const { env, span } = call;
  const asked = askedFor(call);
  if (asked === null) return failed(call);
  const { name, at, declaration } = asked;
  if (declaration?.kind === "dataset") return { op: "in", dataset: name, type: tensor("bool", ["batch"]), span };
  const names = namesOf("dataset", env);
  const otherwise = "declare it: `datasets: {subject: {}, prior: {root: class_clips, share: 0.5}}`";
  if (isNoName(asked, names, env, otherwise)) return failed(call);
  const known = names.map((each) => `\`in(${each})\``).join(", ");
  env.report.error("LTX5077", at, `\`in\` asks for a data set; ${whatItIs(asked)}`, {
    help: names.length === 0 ? otherwise : `there are: ${known}`,
  });
  return failed(call);
}

/** What the only argument of a call names; `name` is empty for any other expression. */
interface Asked {
  readonly name: string;
  readonly at: Span;
  readonly declaration: Declaration | undefined;
}

/** Null where the call or its argument has a finding. */
function askedFor(call: Call): Asked | null {
  if (!hasArguments(call, 1)) return null;
  const argument = call.args[0]?.value;
  if (argument?.kind === "error") return null;
  if (argument?.kind === "text") {
    call.env.report.error("LTX1102", argument.span, `\`${call.name}\` takes a name, this is a text`, {
      help: `write \`${call.name}(${argument.value})\`, without quotes`,
      ...(/^\w+$/.test(argument.value) ? { fix: replacement(argument.span, argument.value) } : {}),
    });
    return null;
  }
  const name = argument?.kind === "name" ? argument.name : "";
  if (call.env.declarations.refused.has(name)) return null;
  return { name, at: argument?.span ?? call.span, declaration: call.env.declarations.byName.get(name) };
}

function namesOf(kind: Declaration["kind"], { declarations }: Environment): readonly string[] {
  return [...declarations.byName.values()].flatMap((entry) => (entry.kind === kind ? [entry.name.text] : []));
}

/** Whether nothing has this name, which is reported where no other finding is about it. */
function isNoName(
  { name, at, declaration }: Asked,
  names: readonly string[],
  env: Environment,
  otherwise: string,
): boolean {
  if (env.declarations.refused.has(name)) return true;
  if (name === "" || declaration !== undefined) return false;
  env.report.unknownName(name, at, names, { otherwise });
  return true;
}

const whatItIs = ({ name, declaration }: Asked): string =>
  declaration === undefined ? "this is none" : `\`${name}\` is a ${wordFor[declaration.kind]}`;
