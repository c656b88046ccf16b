/** Mistakes about what a step calls the model with, and about which samples something is asked of. */
import { calls, modalitiesOf, ofKind, replace, textOf, type Mutator, type Target } from "./mutation-target.ts";

const passNames = ({ syntax }: Target): readonly string[] => syntax.passes.map(({ name }) => name.text);

/** Names of passes in expressions. */
const uses = (target: Target) => ofKind(target, "name").filter(({ name }) => passNames(target).includes(name));

/** Each two of a list. */
const pairs = <T>(list: readonly T[]): readonly (readonly [T, T])[] =>
  list.flatMap((a, i) => list.slice(i + 1).map((b) => [a, b] as const));

/** In strategies with passes: elsewhere a wrong sign is another mistake. */
const differences = (target: Target) =>
  target.syntax.passes.length === 0 ? [] : ofKind(target, "binary").filter(({ operator }) => operator === "-");

export const mutatorsOfCalls: readonly Mutator[] = [
  {
    kind: "`adapters` of a pass is forgotten",
    mutants: ({ syntax }) =>
      syntax.passes.flatMap(({ adapters }) => (adapters === null ? [] : [replace(adapters.span, "true")])),
  },
  {
    kind: "one pass in place of another",
    mutants: (target) =>
      uses(target).flatMap(({ name, span }) =>
        passNames(target)
          .filter((other) => other !== name)
          .map((other) => replace(span, other)),
      ),
  },
  {
    kind: "the step's own call in place of a pass",
    mutants: (target) => uses(target).map(({ span }) => replace({ start: span.start, end: span.end + 1 }, "")),
  },
  {
    kind: "what two passes are given is swapped",
    mutants: (target) =>
      pairs(target.syntax.passes.flatMap((pass) => modalitiesOf(pass).slice(0, 1))).map(([a, b]) => [
        { span: a.span, text: textOf(target, b.span) },
        { span: b.span, text: textOf(target, a.span) },
      ]),
  },
  {
    kind: "a pass is not given what it is to differ in",
    mutants: (target) =>
      target.syntax.passes.flatMap((pass) => modalitiesOf(pass).map(({ span }) => replace(span, "{}"))),
  },
  {
    kind: "the sides of a difference of calls are swapped",
    mutants: (target) =>
      differences(target).map(({ left, right }) => [
        { span: left.span, text: textOf(target, right.span) },
        { span: right.span, text: textOf(target, left.span) },
      ]),
  },
  {
    kind: "a plus for a minus between calls",
    mutants: (target) => differences(target).map(({ operatorSpan }) => replace(operatorSpan, "+")),
  },
  {
    kind: "`has` or `in` is inverted",
    mutants: (target) => calls(target, "has", "in").map(({ span }) => replace(span, `(not ${textOf(target, span)})`)),
  },
  {
    kind: "the branches of an `if` are swapped",
    mutants: (target) =>
      ofKind(target, "if").map(({ then, else: otherwise }) => [
        { span: then.span, text: textOf(target, otherwise.span) },
        { span: otherwise.span, text: textOf(target, then.span) },
      ]),
  },
  {
    kind: "a condition on samples is left out",
    mutants: (target) =>
      ofKind(target, "if")
        .filter(({ condition }) => /\b(has|in)\(/.test(textOf(target, condition.span)))
        .map(({ then, span }) => replace(span, textOf(target, then.span))),
  },
];
