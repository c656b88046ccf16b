/** Lays expressions out in lines of at most 120 columns, broken as Black breaks them. */
import { flat, flatObject, quoted, operandPrecedence, operandPrecedences, type Code } from "./code.ts";

export const WIDTH = 120;
const INDENT = 4;

interface Place {
  /** Spaces in front of the line on which the expression begins. */
  readonly indent: number;
  readonly column: number;
  /** Columns that what follows on its last line takes. */
  readonly after: number;
  /** Whether brackets are open around it on lines of their own, so that a line may end anywhere. */
  readonly isOpen: boolean;
}

const spaces = (count: number): string => " ".repeat(count);

/** A statement `head value`, such as `x = value` or `return value`, with a comment about its shape. */
export function statement(head: string, value: Code, shape: string, indent: number): string {
  const start = `${spaces(indent)}${head}`;
  const text = `${start}${render(value, { indent, column: start.length, after: 0, isOpen: false })}`;
  if (shape === "") return text;
  const last = text.slice(text.lastIndexOf("\n") + 1);
  return last.length + 4 + shape.length <= WIDTH ? `${text}  # ${shape}` : `${spaces(indent)}# ${shape}\n${text}`;
}

/** One line of code that begins at `indent`, such as an argument on a line of its own. */
function lineOf(code: Code, indent: number, end: string): string {
  return `${spaces(indent)}${render(code, { indent, column: indent, after: end.length, isOpen: true })}${end}`;
}

function render(code: Code, place: Place, precedence = 0): string {
  const text = flat(code, precedence);
  if (place.column + text.length + place.after <= WIDTH) return text;
  if (code.precedence < precedence) return inParentheses(code, place.indent);
  switch (code.kind) {
    case "atom":
      return place.isOpen || !fitsBelow(code, place) ? text : inParentheses(code, place.indent);
    case "text":
      return renderText(code.value, place.indent);
    case "call":
      return renderCall(code, place);
    case "member":
      return `${renderObject(code.object, place, code.name.length + 1)}.${code.name}`;
    case "index":
      return `${renderObject(code.object, place, code.place.length + 2)}[${code.place}]`;
    case "prefix":
      return `${code.operator}${render(code.operand, moved(place, code.operator.length), operandPrecedence(code.operator))}`;
    case "marked":
      return `${code.mark}${render(code.value, { ...moved(place, code.mark.length), isOpen: false })}`;
    default:
      return place.isOpen ? lines(code, place) : inParentheses(code, place.indent);
  }
}

/** Whether a name that is too long for this line is not for the next one. */
const fitsBelow = ({ flat: text }: Code, { indent, column }: Place): boolean =>
  column > indent + INDENT && indent + INDENT + text.length <= WIDTH;

/** A text in pieces, which Python joins; each ends behind a space or a `/`. */
function renderText(value: string, indent: number): string {
  const inner = indent + INDENT;
  const pieces: string[] = [];
  for (const word of value.split(/(?<=[ /])/)) {
    const last = pieces.at(-1);
    if (last === undefined || inner + quoted(last + word).length > WIDTH) pieces.push(word);
    else pieces[pieces.length - 1] = last + word;
  }
  const lines = pieces.map((piece) => `\n${spaces(inner)}${quoted(piece)}`);
  return `(${lines.join("")}\n${spaces(indent)})`;
}

const moved = (place: Place, by: number): Place => ({ ...place, column: place.column + by });

const renderObject = (object: Code, place: Place, after: number): string =>
  flatObject(object) === flat(object)
    ? render(object, { ...place, after: place.after + after, isOpen: false })
    : inParentheses(object, place.indent);

function inParentheses(code: Code, indent: number): string {
  const inner = indent + INDENT;
  const isShort = inner + flat(code).length <= WIDTH;
  const body = isShort ? flat(code) : lines(code, { indent: inner, column: inner, after: 0, isOpen: true });
  return `(
${spaces(inner)}${body}
${spaces(indent)})`;
}

function renderCall(code: Code & { kind: "call" }, place: Place): string {
  const { head, args, brackets } = code;
  const [open = "", close = ""] = brackets;
  const given = args.map((arg) => flat(arg)).join(", ");
  const isObjectLonger = head?.kind === "member" && flat(head.object).length > given.length;
  if (isObjectLonger) {
    const after = place.after + given.length + 2;
    return `${render(head, { ...place, after, isOpen: false })}${open}${given}${close}`;
  }
  const start = head === null ? open : `${render(head, { ...place, after: place.after + 1, isOpen: false })}${open}`;
  if (args.length === 0) return `${start}${close}`;
  const inner = place.indent + INDENT;
  // The entries of a dict get a line each, and the only item of a tuple keeps its comma.
  const isShort = inner + given.length <= WIDTH && brackets !== "{}" && !(head === null && args.length === 1);
  const body = isShort ? `${spaces(inner)}${given}` : args.map((arg) => lineOf(arg, inner, ",")).join("\n");
  return `${start}\n${body}\n${spaces(place.indent)}${close}`;
}

/** An operation over several lines, which brackets are open around: each operator begins a line. */
function lines(code: Code, place: Place): string {
  const line = `\n${spaces(place.indent)}`;
  const below = { ...place, column: place.indent, after: 0 };
  if (code.kind === "choice") {
    const test = render(code.test, moved(below, 3), 2);
    const no = render(code.no, { ...moved(below, 5), after: place.after }, 1);
    return `${render(code.yes, { ...place, after: 0 }, 2)}${line}if ${test}${line}else ${no}`;
  }
  if (code.kind !== "infix") return render(code, place);
  const { left, right } = operandPrecedences(code.operator);
  const isChain = code.left.kind === "infix" && code.left.precedence === code.precedence && code.precedence >= left;
  const first = isChain ? lines(code.left, place) : render(code.left, { ...place, after: 0 }, left);
  const last = render(code.right, { ...moved(below, code.operator.length + 1), after: place.after }, right);
  return `${first}${line}${code.operator} ${last}`;
}
