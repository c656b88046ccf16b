/** Where the names that a strategy gives stand in a file: in declarations, in expressions and in texts with `${…}`. */
import { allExpressions } from "../1-parse/all-expressions.ts";
import type { Expression, Name } from "../1-parse/expression/ast.ts";
import { nodesOf } from "../1-parse/expression/children.ts";
import type { LetSyntax, StrategySyntax } from "../1-parse/syntax.ts";
import type { Span } from "../source/span.ts";

export interface Use {
  readonly name: string;
  readonly span: Span;
  readonly isDeclaration: boolean;
}

export const contains = ({ start, end }: Span, offset: number): boolean => start <= offset && offset <= end;

/** Every use of every declared name, built-in names among them where they stand as names. */
export function usesIn(syntax: StrategySyntax): readonly Use[] {
  const locals = syntax.lets.flatMap(localsOf);
  const isLocal = ({ name, span }: Use) =>
    locals.some((local) => local.name === name && contains(local.scope, span.start));
  return [...declared(syntax), ...written(syntax).filter((use) => !isLocal(use))];
}

function declared({
  params,
  sources,
  datasets,
  lets,
  passes,
  outputs,
  weights,
  networks,
  imports,
}: StrategySyntax): Use[] {
  const names = [params, sources, datasets, passes, outputs, weights, networks, imports].flatMap((section) =>
    section.map(({ name }) => name),
  );
  return [...names, ...lets.map(({ binder }) => binder.name)].map((name) => useOf(name, true));
}

const useOf = ({ text, span }: Name, isDeclaration = false): Use => ({ name: text, span, isDeclaration });

function written(syntax: StrategySyntax): Use[] {
  const likes = [...syntax.sources, ...syntax.weights].map(({ like }) => like);
  const lacking = syntax.datasets.flatMap(({ without }) => without);
  const named = [...likes, ...lacking, ...syntax.outputs.map(({ linear }) => linear)];
  return [
    ...named.flatMap((name) => (name === null ? [] : [useOf(name)])),
    ...[...allExpressions(syntax), ...latentsOf(syntax), ...initsOf(syntax)].flatMap(usesOf),
  ];
}

/** What weights begin with: a number or a draw, which no value is made of. */
const initsOf = ({ weights }: StrategySyntax): Expression[] => weights.flatMap(({ init }) => init ?? []);

/** The sources of latents, which are names alone. */
function latentsOf({ video, audio, passes }: StrategySyntax): Expression[] {
  const modalities = [{ video, audio }, ...passes].flatMap((each) => [each.video, each.audio]);
  return modalities.flatMap((modality) => modality?.latents?.value ?? []);
}

function usesOf(node: Expression): Use[] {
  switch (node.kind) {
    case "name":
      return [{ name: node.name, span: node.span, isDeclaration: false }];
    case "call":
      return [useOf(node.callee)];
    case "per":
      return node.axes.flatMap(({ text, span }) => {
        const [, owner] = text.split(":");
        return owner === undefined
          ? []
          : [useOf({ text: owner, span: { start: span.end - owner.length, end: span.end } })];
      });
    default:
      return [];
  }
}

/** An argument of a `let` with arguments, which hides what else has its name. */
export interface Local {
  readonly name: string;
  /** The value of its `let`. */
  readonly scope: Span;
  readonly uses: readonly Use[];
}

export function localsOf({ binder, value }: LetSyntax): readonly Local[] {
  return (binder.parameters ?? []).map((parameter) => {
    const inside = [...nodesOf(value)].flatMap(usesOf).filter(({ name }) => name === parameter.text);
    return { name: parameter.text, scope: value.span, uses: [useOf(parameter, true), ...inside] };
  });
}
