/** Items of list parameters: `region[0]`. */
import type { Expression } from "../1-parse/expression/ast.ts";
import type { Span } from "../source/span.ts";
import { hostBoolean, hostNumber, poisoned, withUnit, type Core } from "./core.ts";
import type { Declaration } from "./declarations.ts";
import type { Environment } from "./environment.ts";
import { hasOddUnit, unitOfParam } from "./units.ts";

type Index = Extract<Expression, { kind: "index" }>;
type Param = Extract<Declaration, { kind: "param" }>;

/** The list that an item is taken from; null where it is taken from something else. */
export function listOf({ object }: Index, { declarations }: Environment): Param | null {
  const found = object.kind === "name" ? declarations.byName.get(object.name) : undefined;
  return found?.kind === "param" && found.type === "list" ? found : null;
}

/** Lists whose schema says nothing of their items hold numbers. */
export function kindOfItems({ items }: Param["syntax"]["schema"]): "number" | "boolean" | "string" | "other" {
  const type: unknown = typeof items === "object" && items !== null && "type" in items ? items.type : "number";
  if (type === "integer") return "number";
  return type === "number" || type === "boolean" || type === "string" ? type : "other";
}

/** An item in an expression. */
export function itemOfList(list: Param, { index, span }: Index, env: Environment): Core {
  const kind = kindOfItems(list.syntax.schema);
  env.declarations.used.add(list.name.text);
  if (kind === "string" || kind === "other") {
    const name = `\`${list.name.text}[${index}]\``;
    env.report.error("LTX4006", span, `${name} is ${kind === "string" ? "a text" : "no number and no mask"}`, {
      help: "expressions calculate with numbers and masks: `items: {type: number}`; one text of several is a parameter with `enum`",
    });
    return poisoned(span);
  }
  checkPlace(list, index, span, env);
  if (hasOddUnit(list.syntax)) return poisoned(span);
  const type = kind === "boolean" ? hostBoolean : hostNumber;
  const unit = kind === "number" ? unitOfParam(list.syntax) : undefined;
  return withUnit({ op: "param", name: list.name.text, index, type, span }, unit);
}

/** Whether the list can have an item at this place at all; `rules/short-lists.ts` warns of those that may be too short. */
function checkPlace({ name, syntax }: Param, index: number, span: Span, { report }: Environment): void {
  const { maxItems } = syntax.schema;
  if (typeof maxItems !== "number" || index < maxItems) return;
  report.error("LTX4058", span, `\`${name.text}\` has no item ${index}`, {
    help: `it has at most ${maxItems} (\`maxItems\`), and the first is \`${name.text}[0]\``,
  });
}
