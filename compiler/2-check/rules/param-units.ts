/** `unit` belongs to parameters that are numbers, or lists of them. */
import { entryOf } from "../../1-parse/tree.ts";
import type { StrategySyntax } from "../../1-parse/syntax.ts";
import { kindOfItems } from "../list-items.ts";
import type { Report } from "../report.ts";
import { unitOfParam } from "../units.ts";

export function paramUnits({ params }: StrategySyntax, report: Report): void {
  for (const param of params) {
    const { type } = param.schema;
    const isNumber = type === "number" || type === "integer" || type === undefined;
    const hasNumbers = type === "array" && kindOfItems(param.schema) === "number";
    if (unitOfParam(param) === undefined || isNumber || hasNumbers) continue;
    const place = entryOf(param.node, "unit")?.keySpan ?? param.node.span;
    report.error("LTX4055", place, `\`${param.name.text}\` is no number, so it has no unit`, {
      help: "leave `unit` out; numbers and lists of numbers have one",
    });
  }
}
