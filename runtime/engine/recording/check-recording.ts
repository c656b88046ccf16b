/** Whether what was read from a file is a recording: what is not is recorded anew. */
import type { HostTensor } from "../../contract.ts";
import { elementTypes, verify, type Graph, type Initializer, type Node, type Value } from "../../graph/graph.ts";
import type { StoredTensor } from "../../graph/stored-tensor.ts";
import type { CallLog } from "./call-log.ts";
import type { DeviceTensor } from "./device-tensor.ts";
import type { Call, InputSource, Recording, TensorType } from "./recording.ts";

type Fields = Readonly<Record<string, unknown>>;

const isObject = (x: unknown): x is Fields => typeof x === "object" && x !== null && !Array.isArray(x);
const isText = (x: unknown): x is string => typeof x === "string";
const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

function isListOf<Item>(x: unknown, isItem: (item: unknown) => item is Item): x is readonly Item[] {
  return Array.isArray(x) && x.every(isItem);
}

const isTensorType = (x: unknown): x is TensorType =>
  isObject(x) && isListOf(x["shape"], isCount) && isText(x["dtype"]) && Object.hasOwn(elementTypes, x["dtype"]);

function isCall(x: unknown): x is Call {
  if (!isTensorType(x)) return false;
  const { key, others } = x as Partial<Call>;
  return isText(key) && (others === undefined || isListOf(others, isTensorType));
}

export const isCalls = (x: unknown): x is readonly Call[] => isListOf(x, isCall) && x.length > 0;

const isSource = (x: unknown): x is InputSource =>
  isObject(x) && ["tensor", "host", "number"].includes(x["kind"] as string) && isCount(x["index"]);

const isNumberOrNull = (x: unknown): x is number | null => x === null || typeof x === "number";
const isBoolean = (x: unknown): x is boolean => typeof x === "boolean";

export const isRecording = (x: unknown): x is Recording =>
  isObject(x) &&
  isListOf(x["inputs"], isSource) &&
  isListOf(x["numbers"], isNumberOrNull) &&
  isListOf(x["outputs"], isTensorType) &&
  isListOf(x["hasGradient"], isBoolean) &&
  isCount(x["flops"]);

const isValue = (x: unknown): x is Value => isTensorType(x) && isText((x as Partial<Value>).name);

const isBlock = (x: unknown): boolean => x === undefined || isText(x);

function isInitializer(x: unknown): x is Initializer {
  if (!isValue(x)) return false;
  const { bytes } = x as Partial<Initializer>;
  if (bytes instanceof Uint8Array) return true;
  return (
    isObject(bytes) &&
    isText(bytes["path"]) &&
    isCount(bytes["offset"]) &&
    isCount(bytes["length"]) &&
    isBlock(bytes["block"])
  );
}

const isNumber = (x: unknown): x is number => typeof x === "number";
const isAttribute = (x: unknown): boolean => isNumber(x) || isText(x) || isListOf(x, isNumber);

const isNode = (x: unknown): x is Node =>
  isObject(x) &&
  isText(x["op"]) &&
  isListOf(x["inputs"], isText) &&
  isListOf(x["outputs"], isValue) &&
  isObject(x["attributes"]) &&
  Object.values(x["attributes"]).every(isAttribute) &&
  (x["origin"] === undefined || isText(x["origin"]));

export const isGraph = (x: unknown): x is Graph =>
  isObject(x) &&
  isListOf(x["inputs"], isValue) &&
  isListOf(x["initializers"], isInitializer) &&
  isListOf(x["nodes"], isNode) &&
  isListOf(x["outputs"], isText) &&
  verify(x as unknown as Graph).length === 0;

const sameType = (a: TensorType | undefined, b: Pick<Value, "shape" | "dtype"> | undefined): boolean =>
  a !== undefined && b !== undefined && a.dtype === b.dtype && a.shape.join() === b.shape.join();

const scalar: TensorType = { shape: [], dtype: "float32" };

function typeOf({ kind, index }: InputSource, { tensors, hosts, numbers }: CallLog): TensorType | undefined {
  if (kind === "number") return index < numbers.length ? scalar : undefined;
  const given: readonly (DeviceTensor | HostTensor)[] = kind === "tensor" ? tensors : hosts;
  return given[index];
}

const contains = (whole: StoredTensor, { bytes, dtype }: Initializer): boolean =>
  !(bytes instanceof Uint8Array) &&
  bytes.path === whole.path &&
  (isWithin(bytes, whole, dtype === whole.dtype) ||
    (whole.scale !== undefined &&
      isWithin(bytes, whole.scale, dtype === (whole.group === undefined ? "float32" : "bfloat16"))));

type Range = Pick<StoredTensor, "offset" | "length">;

const isWithin = (part: Range, whole: Range, isOfType: boolean): boolean =>
  isOfType && part.offset >= whole.offset && part.offset + part.length <= whole.offset + whole.length;

/**
 * Whether a recording and its graph belong to each other and to a run of the function whose calls are in `log`: its inputs are what the
 * run feeds, and the only parts of files that it reads are those of the weights that the run uses.
 * @param parameters how many tensors the function is differentiated by
 */
export function fitsRun(
  { inputs, outputs, hasGradient, numbers }: Recording,
  graph: Graph,
  log: CallLog,
  parameters: number,
): boolean {
  const types = new Map(
    [...graph.inputs, ...graph.initializers, ...graph.nodes.flatMap((node) => node.outputs)].map((x) => [x.name, x]),
  );
  const stored = log.tensors.flatMap((tensor) => tensor.stored ?? []);
  return (
    inputs.length === graph.inputs.length &&
    inputs.every((source, i) => sameType(typeOf(source, log), graph.inputs[i])) &&
    outputs.length === graph.outputs.length &&
    outputs.every((type, i) => sameType(type, types.get(graph.outputs[i] ?? ""))) &&
    hasGradient.length === parameters &&
    numbers.length === log.numbers.length &&
    graph.initializers.every((x) => x.bytes instanceof Uint8Array || stored.some((whole) => contains(whole, x)))
  );
}
