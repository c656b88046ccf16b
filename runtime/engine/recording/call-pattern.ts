import type { HostTensor, Shape } from "../../contract.ts";
import { takesNumbers, type Argument, type CallLog, type OpName } from "./call-log.ts";
import { DeviceTensor } from "./device-tensor.ts";

/**
 * A call as it was made before, in a form that is compared without writing it as text: a step has ten thousand calls, which nearly always
 * are those of the step before.
 */
export interface CallPattern {
  readonly op: OpName;
  readonly parts: readonly Part[];
  /** How many tensors from outside the function were used before this call. */
  readonly known: number;
}

/** A tensor that has a name, by its place in the log; or what else an argument may be. */
type Part = number | Other;

type Other =
  /** A tensor from outside that is used for the first time. */
  | { readonly kind: "new"; readonly like: Pick<DeviceTensor, "shape" | "dtype" | "stored"> }
  | { readonly kind: "host"; readonly like: Pick<HostTensor, "shape" | "dtype"> }
  /** A number that may differ from run to run. */
  | { readonly kind: "number" }
  | { readonly kind: "literal"; readonly value: Argument }
  | { readonly kind: "list"; readonly parts: readonly Part[] };

const anyNumber: Part = { kind: "number" };

/**
 * The pattern of a call that the log has just described.
 * @param known how many tensors from outside the log had before
 */
export function patternOf(log: CallLog, op: OpName, args: readonly Argument[], known: number): CallPattern {
  const isHost = op === "input" || op === "constant";
  let next = known;
  const tensorOf = (x: object): Part => {
    if (!(x instanceof DeviceTensor) || log.tensors[next] !== x) return log.placeOf(x) ?? NaN;
    next++;
    return { kind: "new", like: { shape: x.shape, dtype: x.dtype, stored: x.stored } };
  };
  // Numbers in lists are parts of the call, whatever the operation.
  const itemOf = (x: Argument): Part =>
    typeof x === "object" && x !== null ? tensorOf(x) : { kind: "literal", value: x };
  const partOf = (x: Argument): Part => {
    if (typeof x === "number" && takesNumbers.has(op)) return anyNumber;
    if (Array.isArray(x)) return { kind: "list", parts: x.map(itemOf) };
    if (!isHost || typeof x !== "object" || x === null) return itemOf(x);
    const { shape, dtype } = x as HostTensor;
    return { kind: "host", like: { shape, dtype } };
  };
  return { op, parts: args.map(partOf), known };
}

/** Whether a call is that of the pattern. If so, what is in it is added to the log as if it was described; otherwise nothing is. */
export function matchesPattern(log: CallLog, pattern: CallPattern, op: OpName, args: readonly Argument[]): boolean {
  const { parts, known } = pattern;
  if (op !== pattern.op || args.length !== parts.length || log.tensors.length !== known) return false;
  for (let i = 0; i < parts.length; i++) if (!fits(log, parts[i] as Part, args[i])) return false;
  for (let i = 0; i < parts.length; i++) add(log, parts[i] as Part, args[i]);
  return true;
}

function fits(log: CallLog, part: Part, x: Argument): boolean {
  if (typeof part === "number") return typeof x === "object" && x !== null && log.placeOf(x) === part;
  switch (part.kind) {
    case "number":
      return typeof x === "number";
    case "literal":
      return x === part.value;
    case "new":
      return x instanceof DeviceTensor && log.placeOf(x) === null && isSameFile(x, part.like) && isLike(x, part.like);
    case "host":
      return typeof x === "object" && x !== null && "shape" in x && isLike(x, part.like);
    case "list":
      return Array.isArray(x) && fitList(log, part.parts, x);
  }
}

function fitList(log: CallLog, parts: readonly Part[], list: readonly Argument[]): boolean {
  if (list.length !== parts.length) return false;
  for (let i = 0; i < parts.length; i++) if (!fits(log, parts[i] as Part, list[i])) return false;
  return true;
}

function add(log: CallLog, part: Part, x: Argument): void {
  if (typeof part === "number") return;
  if (part.kind === "new") log.addTensor(x as DeviceTensor);
  else if (part.kind === "number") log.numbers.push(x as number);
  else if (part.kind === "host") log.hosts.push(x as HostTensor);
  else if (part.kind === "list")
    for (let i = 0; i < part.parts.length; i++) add(log, part.parts[i] as Part, (x as readonly Argument[])[i]);
}

interface Typed {
  readonly shape: Shape;
  readonly dtype: string;
}

function isLike(x: Typed, like: Typed): boolean {
  return x.dtype === like.dtype && (x.shape === like.shape || isSameShape(x.shape, like.shape));
}

function isSameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function isSameFile({ stored: a }: Pick<DeviceTensor, "stored">, { stored: b }: Pick<DeviceTensor, "stored">): boolean {
  if (a === b) return true;
  return a !== null && b !== null && a.dtype === b.dtype && a.path === b.path && a.offset === b.offset;
}
