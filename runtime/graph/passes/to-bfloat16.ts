import { elementTypes, type ElementType, type Graph, type Node, type Value } from "../graph.ts";
import { removeDeadCode } from "./dead-code.ts";

/**
 * Computes the model of a recorded step in bfloat16, as PyTorch's autocast does with a model that is stored so:
 *
 * | bfloat16 | float32 |
 * |---|---|
 * | linear layers and attention, with their gradients; the weights of these as they are read | what is trained (cast where a layer reads it), its gradients as they leave the graph, the optimizer |
 * | what follows from these element by element: the stream of tokens, norms, GELU, modulation, rotation, and all on the way back | inside of norms and attention; rotary tables; biases of attention; sums and means, also over tokens; sines, roots, exponentials and divisions |
 * | captions where they are modulated, and tables that are stored so | |
 * | the embedding of timesteps from its first linear layer on | noise levels, timesteps and their sines; all that the strategy computes before the model and from `Widen` on: the loss |
 *
 * Numbers without axes keep their type next to bfloat16.
 */
export function toBfloat16(graph: Graph): Graph {
  const rewrite = new Rewrite(removeDeadCode(graph));
  for (const node of rewrite.source.nodes) convert(rewrite, node);
  return removeDeadCode(rewrite.finish());
}

const [low, high] = ["bfloat16", "float32"] as const;

/** By operator, the inputs that stay float32; all others become bfloat16. */
const layers: ReadonlyMap<string, readonly number[]> = new Map([
  ["Linear", []],
  ["LinearGradInput", []],
  ["LinearGradWeight", []],
  ["Attention", [3]],
  ["AttentionGrad", [5, 6]],
]);

/** By operator, the input whose type the others take, and those that stay float32. */
const followers: ReadonlyMap<string, readonly [leader: number, float32: readonly number[]]> = new Map([
  ["RmsNorm", [0, []]],
  ["RmsNormGrad", [1, [2]]],
  ["Gelu", [0, []]],
  ["GeluGrad", [1, []]],
  ["Modulate", [0, []]],
  ["ModulateGrad", [1, []]],
  ["Rotate", [0, [1, 2]]],
]);

/** By operator, the outputs that are float32 in any case. */
const wideOutputs: Readonly<Record<string, readonly number[]>> = { Attention: [1], AttentionGrad: [3], RmsNorm: [1] };

/** Operators that move values: their result has the type of the first input. Other inputs are shapes, indices or numbers. */
const moves = new Set("Reshape Transpose Slice Expand Tile Pad Gather After".split(" "));
/** Operators that read bfloat16 and give another type. */
const readsBoth = new Set("ReduceSum ReduceMean ReduceMax ReduceMin Widen Cast".split(" "));
/** Operators that compute each element by itself, and lose little by rounding. */
const elementwise = new Set("Add Sub Mul Neg Abs Sigmoid Where Concat".split(" "));

function convert(rewrite: Rewrite, node: Node): void {
  const { op, inputs } = node;
  const typeAt = (index: number) => rewrite.value(inputs[index] ?? "").dtype;
  const ofLayer = layers.get(op);
  const ofFollower = followers.get(op);
  if (ofLayer !== undefined) return typed(rewrite, node, low, ofLayer);
  if (ofFollower !== undefined) {
    const isCaption = op === "Modulate" && rewrite.isGiven(inputs[0] ?? "");
    return typed(rewrite, node, isCaption ? low : typeAt(ofFollower[0]), ofFollower[1]);
  }
  if (op === "Dequantize") {
    const attributes = { ...node.attributes, to: elementTypes[low] };
    return rewrite.push({ ...node, attributes }, inputs, low);
  }
  if (moves.has(op)) return rewrite.move(node);
  // These read either type.
  if (readsBoth.has(op)) return rewrite.push(node, inputs, null);
  const isLow = elementwise.has(op) && inputs.some((name) => rewrite.value(name).dtype === low);
  const type = isLow && node.outputs[0]?.dtype === high ? low : high;
  const operands = inputs.map((name) => (isNumber(rewrite.value(name)) ? name : rewrite.as(name, type)));
  rewrite.push(node, operands, type === low ? low : null);
}

/** A node whose inputs and outputs have the type, but for the inputs `wide` and the outputs that never have it. */
function typed(rewrite: Rewrite, node: Node, type: ElementType, wide: readonly number[]): void {
  const inputs = node.inputs.map((name, i) => rewrite.as(name, wide.includes(i) ? high : type));
  rewrite.push(node, inputs, type, wideOutputs[node.op]);
}

const isNumber = ({ shape, dtype }: Value): boolean => dtype === high && shape.length === 0;

/** The new graph, with the types that its values have so far. */
class Rewrite {
  readonly source: Graph;
  readonly #nodes: Node[] = [];
  readonly #values = new Map<string, Value>();
  /** The values that Casts were made of. */
  readonly #castOf = new Map<string, string>();
  readonly #casts = new Map<string, string>();
  /** Inputs of the graph, and what was only moved since. */
  readonly #given: Set<string>;

  constructor(source: Graph) {
    this.source = source;
    this.#given = new Set(source.inputs.map(({ name }) => name));
    for (const x of [...source.inputs, ...source.initializers]) this.#values.set(x.name, x);
  }

  value(name: string): Value {
    const found = this.#values.get(name);
    if (found === undefined) throw new Error(`the graph has no value ${name}`);
    return found;
  }

  isGiven(name: string): boolean {
    return this.#given.has(name);
  }

  /** The value in this type. Types other than the two stay as they are. */
  as(name: string, dtype: ElementType): string {
    const value = this.value(name);
    if (value.dtype === dtype || ![low, high].some((type) => type === value.dtype)) return name;
    const source = this.#castOf.get(name);
    if (source !== undefined && this.value(source).dtype === dtype) return source;
    const key = `${dtype} ${name}`;
    const known = this.#casts.get(key);
    if (known !== undefined) return known;
    const made = { ...value, name: `${name}_as_${dtype}`, dtype };
    this.#push({ op: "Cast", inputs: [name], outputs: [made], attributes: { to: elementTypes[dtype] } });
    this.#casts.set(key, made.name);
    return made.name;
  }

  /**
   * A node of the old graph with other inputs.
   * @param dtype the type of its outputs, but for those in `wide`; null: as recorded
   */
  push(node: Node, inputs: readonly string[], dtype: ElementType | null, wide: readonly number[] = []): void {
    const outputs = node.outputs.map((x, i) => (dtype === null || wide.includes(i) ? x : { ...x, dtype }));
    this.#push({ ...node, inputs, outputs });
  }

  /** A node that moves values. What was widened is moved as it was before, and widened then: most readers take it without. */
  move(node: Node): void {
    const [x = "", ...others] = node.inputs;
    const [output] = node.outputs;
    const source = this.#castOf.get(x);
    if (this.isGiven(x)) for (const { name } of node.outputs) this.#given.add(name);
    if (source === undefined || output === undefined || this.value(source).dtype !== low)
      return this.push(node, node.inputs, this.value(x).dtype);
    const stored = { ...output, name: `${output.name}_stored`, dtype: low };
    this.#push({ ...node, inputs: [source, ...others], outputs: [stored] });
    this.#push({ op: "Cast", inputs: [stored.name], outputs: [output], attributes: { to: elementTypes[high] } });
  }

  #push(node: Node): void {
    this.#nodes.push(node);
    for (const output of node.outputs) this.#values.set(output.name, output);
    if (node.op === "Cast") this.#castOf.set(node.outputs[0]?.name ?? "", node.inputs[0] ?? "");
  }

  finish(): Graph {
    return { ...this.source, nodes: this.#nodes };
  }
}
