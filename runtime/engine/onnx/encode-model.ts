import { parse, relative } from "node:path";
import {
  elementTypes,
  valuesOf,
  verify,
  type Attribute,
  type Graph,
  type Initializer,
  type Node,
  type Value,
} from "../../graph/graph.ts";
import { composites } from "../../graph/composites.ts";
import { Message } from "../../protobuf.ts";

// Field numbers are those of onnx.proto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
/** TensorProto.DataLocation */
const external = 1;
const attributeTypes = { int: 2, string: 3, ints: 7 };
/** Paths of files in a model are relative to this folder, which sessions get as an option. */
export const { root } = parse(process.cwd());
/** The newest versions that every provider of ONNX Runtime accepts. */
const [irVersion, opset] = [9, 18];
/** Operators that only ONNX Runtime has, and the domain that it has them in. */
const ownOperators: ReadonlySet<string> = new Set(["FusedMatMul"]);
const ownDomain = "com.microsoft";

/** The graph as an ONNX model. Throws if `verify` finds errors in it, or if it needs what ONNX Runtime does not have. */
export function encodeModel(graph: Graph): Uint8Array {
  const errors = [...verify(graph), ...withoutKernels(graph)];
  if (errors.length > 0) throw new Error(`the recorded graph is wrong: ${errors.join("; ")}`);
  const model = new Message().int(1, irVersion).string(2, "ltxc").message(7, encodeGraph(graph));
  model.message(8, new Message().string(1, "").int(2, opset));
  if (graph.nodes.some(({ op }) => ownOperators.has(op)))
    model.message(8, new Message().string(1, ownDomain).int(2, 1));
  return model.encode();
}

/** Numbers in bfloat16 can only be stored here: ONNX Runtime widens them, and computes in float32. */
function withoutKernels(graph: Graph): string[] {
  const values = valuesOf(graph);
  return graph.nodes.flatMap(({ op, inputs, outputs }) => {
    if (composites.has(op)) return [`ONNX Runtime has no operator ${op}`];
    const operands = op === "Cast" ? outputs : [...inputs.flatMap((name) => values.get(name) ?? []), ...outputs];
    const narrow = operands.find(({ dtype }) => dtype === "bfloat16");
    return narrow === undefined ? [] : [`ONNX Runtime does not compute ${op} in bfloat16 (${narrow.name})`];
  });
}

function encodeGraph(graph: Graph): Message {
  const message = new Message();
  const values = valuesOf(graph);
  for (const node of graph.nodes) message.message(1, encodeNode(node));
  message.string(2, "step");
  for (const initializer of graph.initializers) message.message(5, encodeInitializer(initializer));
  for (const input of graph.inputs) message.message(11, encodeValue(input));
  for (const name of graph.outputs) {
    const value = values.get(name);
    if (value !== undefined) message.message(12, encodeValue(value));
  }
  return message;
}

function encodeNode({ op, inputs, outputs, attributes }: Node): Message {
  const message = new Message();
  for (const name of inputs) message.string(1, name);
  for (const { name } of outputs) message.string(2, name);
  message.string(3, outputs[0]?.name ?? "").string(4, op);
  for (const [name, value] of Object.entries(attributes)) message.message(5, encodeAttribute(name, value));
  return ownOperators.has(op) ? message.string(7, ownDomain) : message;
}

function encodeAttribute(name: string, value: Attribute): Message {
  const message = new Message().string(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, attributeTypes.int);
  if (typeof value === "string") return message.string(4, value).int(20, attributeTypes.string);
  for (const x of value) message.int(8, x);
  return message.int(20, attributeTypes.ints);
}

function encodeInitializer({ name, shape, dtype, bytes }: Initializer): Message {
  const message = new Message();
  for (const size of shape) message.int(1, size);
  message.int(2, elementTypes[dtype]).string(8, name);
  if (bytes instanceof Uint8Array) return message.bytes(9, bytes);
  const location = { location: relative(root, bytes.path), offset: bytes.offset, length: bytes.length };
  for (const [key, value] of Object.entries(location)) {
    message.message(13, new Message().string(1, key).string(2, String(value)));
  }
  return message.int(14, external);
}

function encodeValue({ name, shape, dtype }: Value): Message {
  const dimensions = new Message();
  for (const size of shape) dimensions.message(1, new Message().int(1, size));
  const tensor = new Message().int(1, elementTypes[dtype]).message(2, dimensions);
  return new Message().string(1, name).message(2, new Message().message(1, tensor));
}
