/** Calls of `let` bindings with arguments: the body is put in, within bounds. */
import { hasArguments, type Call } from "./call.ts";
import { poisoned, sizeOf, type Core } from "./core.ts";
import type { Declaration } from "./declarations.ts";
import { placeKey, type Environment } from "./environment.ts";

/**
 * A `let` with arguments: its body with the arguments put in; draws inside belong to the place of use. `bodyIn` reads the body where its
 * arguments have values.
 */
export function expand(
  { syntax, name: declared }: Extract<Declaration, { kind: "let" }>,
  made: Call,
  bodyIn: (env: Environment) => Core,
): Core {
  const { env, span } = made;
  const { text } = declared;
  env.declarations.used.add(text);
  const parameters = syntax.binder.parameters ?? [];
  if (env.expanding.includes(text)) {
    env.report.error("LTX5001", span, `\`${text}\` is defined by itself`, {
      help: "a `let` cannot use itself, not by way of others either",
    });
    return poisoned(span);
  }
  if (!hasArguments(made, parameters.length) || !mayExpand(made)) return poisoned(span);
  const args = new Map(parameters.map(({ text: parameter }, i) => [parameter, made.value(i)] as const));
  remember(text, args, env);
  const core = bodyIn({ ...env, modality: null, parameters: args, expanding: [...env.expanding, text] });
  return sizeOf(core) <= maxExpandedSize ? core : tooLarge(made);
}

/** Where the values of the parameters are written. */
function remember(text: string, args: ReadonlyMap<string, Core>, { expansions }: Environment): void {
  const given = expansions.given.get(text) ?? new Map<string, string>();
  expansions.given.set(text, given);
  for (const [parameter, { span }] of args) if (span !== null) given.set(placeKey(span), parameter);
}

/** Bindings with arguments that use one another twice over would double with every step; these bounds are far beyond sensible ones. */
const maxExpandedSize = 20_000;
const maxExpansionDepth = 64;

function mayExpand(made: Call): boolean {
  const { expansions, expanding } = made.env;
  expansions.left -= 1;
  if (expansions.left >= 0 && expanding.length < maxExpansionDepth) return true;
  if (expansions.left >= -1) tooLarge(made);
  return false;
}

/** One finding says it; what follows from it is left out. */
function tooLarge({ name: text, span, env }: Call): Core {
  env.expansions.left = -1;
  env.report.error("LTX1104", span, `\`${text}\` stands for too large an expression here`, {
    help: "give parts of it names under `let`, without arguments",
  });
  return poisoned(span);
}
