/** The arguments of the call that the cursor is in. */
import { docOf, parameterText } from "../2-check/builtin-docs.ts";
import { textAt } from "../source/source-file.ts";
import type { Analysis } from "./analysis.ts";
import { signatures } from "./completion.ts";
import { cursorIn } from "./cursor.ts";
import { networkText } from "./network-text.ts";
import { placeAt } from "./place.ts";
import { roleAt } from "./roles.ts";

interface Signature {
  /** Each way to call the function: its text, and its parameters as pieces of that text. */
  readonly forms: readonly { readonly label: string; readonly parameters: readonly string[] }[];
  /** Index of the parameter that the cursor is in; past the last where there are too many. */
  readonly active: number;
  readonly doc: string;
}

/** Null outside of a call. */
export function signature(analysis: Analysis, text: string, offset: number): Signature | null {
  const place = placeAt(text, offset);
  const role = roleAt(place.path);
  const isItem = place.kind === "key" && roleAt([...place.path, 0]).kind === "expression";
  if (place.kind === "comment" || (role.kind !== "expression" && role.kind !== "template" && !isItem)) return null;
  const before = role.kind === "template" ? place.text.slice(place.text.lastIndexOf("${") + 2) : place.text;
  const { call } = cursorIn(before, "any", signatures(analysis));
  if (call === null) return null;
  const forms = formsOf(analysis, call.callee);
  if (forms === null) return null;
  const named =
    call.named === null
      ? -1
      : (forms.forms[0]?.parameters.findIndex((each) => each.startsWith(call.named ?? "")) ?? -1);
  return { ...forms, active: named >= 0 ? named : call.argument };
}

function formsOf(analysis: Analysis, callee: string): Pick<Signature, "forms" | "doc"> | null {
  const name = callee.split(".").at(-1) ?? "";
  const declaration = analysis.declarations?.byName.get(callee);
  if (declaration?.kind === "let" || declaration?.kind === "import" || declaration?.kind === "network") {
    const parameters = (signatures(analysis)(callee) ?? []).map((parameter) => parameter.name);
    const doc =
      declaration.kind === "let"
        ? textAt(analysis.file, declaration.syntax.value.span)
        : declaration.kind === "network"
          ? networkText(declaration.syntax)
          : `Imported from ${declaration.syntax.from?.value ?? "?"}.`;
    return { forms: [{ label: `${callee}(${parameters.join(", ")})`, parameters }], doc };
  }
  const doc = docOf(name);
  if (doc === null || doc.bare === true) return null;
  const forms = doc.forms.map((form) => {
    const parameters = form.map(parameterText);
    return { label: `${name}(${parameters.join(", ")})`, parameters };
  });
  return { forms, doc: doc.text };
}
