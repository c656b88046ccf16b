/** Findings about names and calls of other languages, with what to write instead. */
import type { Argument, Expression } from "../1-parse/expression/ast.ts";
import { replacement } from "../diagnostics/did-you-mean.ts";
import type { Details } from "../diagnostics/bag.ts";
import type { Span } from "../source/span.ts";
import { functionNames, losses } from "./builtins.ts";
import { poisoned, type Core } from "./core.ts";
import type { Environment } from "./environment.ts";
import { foreignField, foreignModules, foreignWord } from "./foreign-words.ts";

/** A name or call that may be foreign; `args` is null for a bare name, `span` covers all of it. */
interface Suspect {
  readonly name: string;
  readonly nameSpan: Span;
  readonly args: readonly Argument[] | null;
  readonly span: Span;
}

type Member = Extract<Expression, { kind: "member" }>;

/** Reports a name that is a known word of another language; false where it is none. */
export function reportForeign({ name, nameSpan, args, span }: Suspect, env: Environment): boolean {
  const foreign = foreignWord(name);
  const field = foreignField(name);
  if (foreign === null && field === null) return false;
  const details = foreign === null ? fieldDetails(field ?? "", env) : callDetails(foreign, args, span, env);
  if (details.fix !== undefined) env.report.withdrawOptions(span);
  env.report.error("LTX3001", nameSpan, `nothing is named \`${name}\``, details);
  return true;
}

function fieldDetails(field: string, env: Environment): Details {
  const [owner = "video"] = env.modalities;
  return { help: `here it is called \`${env.modality === null ? `${owner}.${field}` : field}\`` };
}

function callDetails(
  { help, write }: NonNullable<ReturnType<typeof foreignWord>>,
  args: readonly Argument[] | null,
  span: Span,
  env: Environment,
): Details {
  const texts = argumentTexts(args ?? [], env);
  if (typeof help !== "string") return { help: help(firstText(args ?? [], env)) };
  const written = texts === null ? null : (write?.(texts) ?? null);
  return written === null ? { help } : { help: `write \`${written}\``, fix: replacement(span, written) };
}

/** The first argument as written, `x` where there is none to repeat. */
function firstText([first]: readonly Argument[], env: Environment): string {
  return (first === undefined ? null : env.report.textAt(first.value.span)) ?? "x";
}

/** The arguments as written; null where one has a name, or a text that no help repeats. */
function argumentTexts(args: readonly Argument[], env: Environment): readonly string[] | null {
  const texts = args.map(({ name, value }) => (name === null ? env.report.textAt(value.span) : null));
  return texts.some((text) => text === null) ? null : (texts as string[]);
}

function helpOf(foreign: ReturnType<typeof foreignWord>, object: Expression, env: Environment): string | null {
  if (foreign === null) return null;
  if (typeof foreign.help === "string") return foreign.help;
  return foreign.help(firstText([{ name: null, value: object }], env));
}

/** Words that people put in front of a name of the strategy: `params.threshold`, `self.threshold`. */
const owners: ReadonlySet<string> = new Set([
  "params",
  "param",
  "parameters",
  "config",
  "cfg",
  "args",
  "self",
  "this",
  "opt",
  "sources",
  "source",
  "let",
  "lets",
  "vars",
  "batch",
  "data",
  "inputs",
  "outputs",
]);

/** Reports `params.threshold`, where `threshold` is declared; false for anything else. */
export function reportOwner({ object, member, args }: Member, env: Environment): boolean {
  if (object.kind !== "name" || !owners.has(object.name) || env.declarations.byName.has(object.name)) return false;
  const declaration = env.declarations.byName.get(member.text);
  if (declaration === undefined) return false;
  env.declarations.used.add(member.text);
  const help = `names of a strategy stand alone: write \`${member.text}\``;
  const prefix = { start: object.span.start, end: member.span.start };
  const fix = args === null ? { fix: { title: help, edits: [{ span: prefix, text: "" }] } } : {};
  env.report.error("LTX3001", object.span, `nothing is named \`${object.name}\``, { help, ...fix });
  return true;
}

/** `torch.mean(x)`, `F.mse_loss(a, b)`, `torch.nn.functional.relu(x)`: the module is left out. Null for anything else. */
export function foreignModuleCall({ object, member, args, span }: Member, env: Environment): Core | null {
  const root = rootOf(object);
  if (root === null || !foreignModules.has(root) || env.declarations.byName.has(root)) return null;
  const { text } = member;
  const suspect = { name: text, nameSpan: { start: object.span.start, end: member.span.end }, args, span };
  if (functionNames.includes(text)) {
    const help = `\`${text}\` is a function here, too: write it without \`${root}.\``;
    const prefix = { start: object.span.start, end: member.span.start };
    const fix = hasOnlyPlain(args) ? { fix: { title: help, edits: [{ span: prefix, text: "" }] } } : {};
    env.report.error("LTX3001", object.span, `nothing is named \`${root}\``, { help, ...fix });
  } else if (!reportForeign(suspect, env)) {
    const help = "LANGUAGE.md lists the functions; other operations are functions of your own under `imports`";
    env.report.error("LTX3001", object.span, `nothing is named \`${root}\``, { help });
  }
  return poisoned(span);
}

const hasOnlyPlain = (args: readonly Argument[] | null) => args !== null && args.every(({ name }) => name === null);

/** `torch` of `torch.nn.functional`. */
function rootOf(object: Expression): string | null {
  if (object.kind === "name") return object.name;
  return object.kind === "member" && object.args === null ? rootOf(object.object) : null;
}

/** `x.mean(channel)` of a value `x`: functions are written in front. False where `mean` is no function of any language. */
export function reportMethod({ object, member, args, span }: Member, env: Environment): boolean {
  const { text } = member;
  const isAveraged = object.kind === "call" && losses.includes(object.callee.text) && /^(mean|sum)$/.test(text);
  if (isAveraged) {
    const rest = { start: object.span.end, end: span.end };
    const help = `leave \`.${text}()\` out: a loss is averaged for each sample`;
    env.report.error("LTX3004", member.span, `a value has no \`${text}\``, {
      help,
      fix: { title: help, edits: [{ span: rest, text: "" }] },
    });
    return true;
  }
  const all: readonly Argument[] = [{ name: null, value: object }, ...(args ?? [])];
  const texts = argumentTexts(all, env);
  const foreign = foreignWord(text);
  const own = text === "pow" || text === "float" || functionNames.includes(text);
  if (!own && foreign === null) return false;
  const written = texts === null ? null : own ? `${text}(${texts.join(", ")})` : (foreign?.write?.(texts) ?? null);
  const byNumber = reducers.has(text) && (args ?? []).some(isAxisNumber);
  const [value = "x"] = argumentTexts([{ name: null, value: object }], env) ?? [];
  const bounded = /^(clamp|clip)$/.test(text) ? boundedBy(value, args ?? [], env) : null;
  const help =
    bounded !== null
      ? `write \`${bounded}\``
      : byNumber
        ? `write \`${text}(${value}, channel)\`: axes have names, and \`channel\` is the last one of latents`
        : written === null
          ? (helpOf(foreign, object, env) ?? `write \`${text}(x)\``)
          : `write \`${written}\``;
  const fix =
    bounded !== null
      ? { fix: replacement(span, bounded) }
      : written === null || byNumber || !hasOnlyPlain(args)
        ? {}
        : { fix: replacement(span, written) };
  env.report.error("LTX3004", member.span, `a value has no \`${text}\`: functions are written in front of it`, {
    help,
    ...fix,
  });
  return true;
}

const reducers: ReadonlySet<string> = new Set(["mean", "sum", "min", "max", "any", "all", "std", "var"]);

/** `max(x, 0.1)` of `x.clamp(min=0.1)`, `clamp(x, 0, 1)` of `x.clip(0, 1)`; null where no bound is given. */
function boundedBy(value: string, args: readonly Argument[], env: Environment): string | null {
  const [first, second] = args.filter(({ name }) => name === null);
  const named = (names: RegExp) => args.find(({ name }) => name !== null && names.test(name.text));
  const textOf = (arg: Argument | undefined) => (arg === undefined ? null : env.report.textAt(arg.value.span));
  const low = textOf(first ?? named(/^(min|a_min|lo|low)$/));
  const high = textOf(second ?? named(/^(max|a_max|hi|high)$/));
  if (low !== null && high !== null) return `clamp(${value}, ${low}, ${high})`;
  if (low !== null) return `max(${value}, ${low})`;
  return high === null ? null : `min(${value}, ${high})`;
}

/** Axes of latents in a batch: the largest number that can name one is less. */
const MOST_AXES = 5;

/** `-1`, `dim=2`, `axis=(1, 2)`: an axis by its number. `x.min(0.5)` and `x.min(5)` have none. */
const isAxisNumber = ({ name, value }: Argument): boolean =>
  name !== null ||
  (value.kind === "number" && Number.isInteger(value.value) && value.value < MOST_AXES) ||
  (value.kind === "negate" && value.operand.kind === "number");
