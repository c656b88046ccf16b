/** Rotary embedding (`graph/composites.ts`): x cos + x' sin, where x' has the other half of each pair of x. */
import { given, type Lowering, type Operand, type Operator } from "./lowering.ts";

/** The pairs of a row are its halves, or its neighbours once the row is split in two. */
interface Pairs {
  /** The shape in which the two halves of all pairs lie next to each other along the last axis. */
  readonly shape: Operand["shape"];
  /** How far apart they are. */
  readonly distance: number;
}

/** Both products and their sum are float32, as the tables are; the result is rounded once. */
const rotate: Operator = (lowering) => {
  const { build, operands, outputs, attributes } = lowering;
  const [x, cos, sin, out] = [given(operands, 0), given(operands, 1), given(operands, 2), given(outputs, 0)];
  const isHalves = attributes["pairs"] === "halves";
  const width = x.shape.at(-1) ?? 0;
  const pairs: Pairs = isHalves
    ? { shape: x.shape, distance: width / 2 }
    : { shape: [...x.shape.slice(0, -1), width / 2, 2], distance: 1 };
  const tables = isHalves ? tablesOfHalves(lowering, cos, sin) : tablesOfNeighbours(lowering, cos, sin);
  const kept = build.multiply(x.slot, tables.cos);
  const crossed = build.multiply(swapped(lowering, x, pairs), tables.sin);
  const factor = attributes["inverse"] === 1 ? -1 : 1;
  if (out.dtype === "float32") build.add(kept, crossed, factor, out.slot);
  else build.cast(build.add(kept, crossed, factor), out.dtype, { to: out.slot });
};

/** The two halves of each pair in each other's place. */
function swapped({ build }: Lowering, x: Operand, { shape, distance }: Pairs): number {
  const isSplit = shape.length !== x.shape.length;
  const [axis, inPairs] = [shape.length - 1, isSplit ? build.reshape(x.slot, shape) : x.slot];
  const [first, second] = [0, distance].map((start) => build.narrow(inPairs, axis, start, distance)) as [
    number,
    number,
  ];
  const turned = build.concat([second, first], axis);
  return isSplit ? build.reshape(turned, x.shape) : turned;
}

interface Tables {
  readonly cos: number;
  /** Negative where the first half of a pair takes of the second one. */
  readonly sin: number;
}

/** All rotations by the same tables share what is made of them. */
function tablesOfHalves({ build }: Lowering, cos: Operand, sin: Operand): Tables {
  const axis = cos.shape.length - 1;
  return {
    cos: build.once(`cos ${cos.slot}`, () => build.concat([cos.slot, cos.slot], axis)),
    sin: build.once(`sin ${sin.slot}`, () => build.concat([build.scale(sin.slot, -1), sin.slot], axis)),
  };
}

/** These have each value twice already. */
function tablesOfNeighbours({ build }: Lowering, cos: Operand, sin: Operand): Tables {
  const shape = [...sin.shape.slice(0, -1), (sin.shape.at(-1) ?? 0) / 2, 2];
  const signed = () => {
    const [first, second] = [0, 1].map((i) => build.narrow(build.reshape(sin.slot, shape), shape.length - 1, i, 1)) as [
      number,
      number,
    ];
    return build.reshape(build.concat([build.scale(first, -1), second], shape.length - 1), sin.shape);
  };
  return { cos: cos.slot, sin: build.once(`neighbours ${sin.slot}`, signed) };
}

export const rotations: Readonly<Record<string, Operator>> = { Rotate: rotate };
