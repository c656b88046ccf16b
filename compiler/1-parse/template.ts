import type { Bag } from "../diagnostics/bag.ts";
import { parseExpression } from "./expression/parse.ts";
import type { Template, TemplatePart } from "./syntax.ts";
import type { YamlScalar } from "./tree.ts";

/** Splits text at its `${…}`, whose contents are expressions; a `${` without end is reported. */
export function parseTemplate(scalar: YamlScalar, bag: Bag): Template {
  const { text, mapOffset, span } = scalar;
  const parts: TemplatePart[] = [];
  let at = 0;
  for (let open = text.indexOf("${"); open >= 0; open = text.indexOf("${", at)) {
    const close = text.indexOf("}", open);
    if (open > at) parts.push({ kind: "text", text: text.slice(at, open) });
    if (close < 0) {
      const place = { start: mapOffset(open), end: mapOffset(text.length) };
      bag.error("LTX1110", place, "this `${` is never closed", { help: "write `${name}`" });
      return { parts, span };
    }
    const value = parseExpression(text.slice(open + 2, close), (offset) => mapOffset(open + 2 + offset), bag);
    at = close + 1;
    parts.push({ kind: "expression", value, span: { start: mapOffset(open), end: mapOffset(at) } });
  }
  if (at < text.length) parts.push({ kind: "text", text: text.slice(at) });
  return { parts, span };
}
