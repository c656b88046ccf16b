/** How a statement is written, with the comment that quotes the file and the axes of its value. */
import type { Statement } from "../../3-lower/program.ts";
import { passLines } from "./calls.ts";
import { demanded, line, quote, shapeOf, type Context } from "./context.ts";
import { device, referencesCode, sample } from "./expression.ts";
import { host } from "./number.ts";
import type { Scope } from "./scope.ts";

/** A statement, after the variables that it asks for. */
export function statementLines(context: Context, { key, core, span }: Statement, scope: Scope): string[] {
  if (core.op === "pass" || core.op === "passInputs") return passLines(context, core, context.names.of(key), scope);
  const { stage, axes } = core.type;
  const isList = core.op === "references";
  const number = () => (stage === "sample" ? sample(core, scope) : host(core, scope));
  const value = isList ? referencesCode(core, scope) : stage === "device" ? device(core, scope) : number();
  const shape = isList ? referencesShape(core.modality) : shapeOf(axes);
  return [...demanded(scope), ...quote(context, key, span), line(`${context.names.of(key)} = `, value, shape)];
}

const referencesShape = (modality: string): string =>
  modality === "video"
    ? "latents with their frames per second, in the order of the sequence"
    : "in the order of the sequence";
