/** Operators that compute each element by itself. */
import { some, tensor, text } from "../dispatch.ts";
import { given, isFloat, type Lowering, type Operand, type Operator } from "./lowering.ts";

const unary =
  (name: string): Operator =>
  ({ build, operands, outputs }) => {
    build.dispatch(name, [tensor(given(operands, 0).slot)], { to: [given(outputs, 0).slot] });
  };

const binary =
  (name: string, overload = "Tensor"): Operator =>
  ({ build, operands, outputs }) => {
    const args = [tensor(given(operands, 0).slot), tensor(given(operands, 1).slot)];
    build.dispatch(name, args, { overload, to: [given(outputs, 0).slot] });
  };

/** A constant that can be given as a number: it must not change the shape of the result. */
function numberOf(x: Operand, other: Operand): number | null {
  return x.numbers?.length === 1 && x.shape.length <= other.shape.length ? given(x.numbers, 0) : null;
}

const add: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [a, b, { slot }] = [given(operands, 0), given(operands, 1), given(outputs, 0)];
  if (!isFloat(a)) return addIntegers(lowering, 1);
  const [left, right] = [numberOf(a, b), numberOf(b, a)];
  if (right !== null) build.addNumber(a.slot, right, slot);
  else if (left !== null) build.addNumber(b.slot, left, slot);
  else build.add(a.slot, b.slot, 1, slot);
};

const subtract: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [a, b, { slot }] = [given(operands, 0), given(operands, 1), given(outputs, 0)];
  if (!isFloat(a)) return addIntegers(lowering, -1);
  const right = numberOf(b, a);
  if (right === null) build.add(a.slot, b.slot, -1, slot);
  else build.addNumber(a.slot, -right, slot);
};

/**
 * a + factor b for integers. The kernel takes the factor as a double and refuses it for integers, so they are added as float64, which
 * holds every int32 exactly.
 */
function addIntegers({ build, operands, outputs }: Lowering, factor: number): void {
  const [a, b, out] = [given(operands, 0), given(operands, 1), given(outputs, 0)];
  const sum = build.add(build.cast(a.slot, "float64"), build.cast(b.slot, "float64"), factor);
  build.cast(sum, out.dtype, { to: out.slot });
}

const multiply: Operator = ({ build, operands, outputs }) => {
  const [a, b, { slot }] = [given(operands, 0), given(operands, 1), given(outputs, 0)];
  const [left, right] = isFloat(a) ? [numberOf(a, b), numberOf(b, a)] : [null, null];
  if (right !== null) build.scale(a.slot, right, slot);
  else if (left !== null) build.scale(b.slot, left, slot);
  else build.multiply(a.slot, b.slot, slot);
};

/** ONNX divides integers to integers. */
const divide: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [a, b] = [given(operands, 0), given(operands, 1)];
  if (isFloat(a)) return binary("div")(lowering);
  const args = [tensor(a.slot), tensor(b.slot), some(text("trunc"))];
  build.dispatch("div", args, { overload: "Tensor_mode", to: [given(outputs, 0).slot] });
};

const where: Operator = ({ build, operands, outputs }) => {
  const args = [0, 1, 2].map((i) => tensor(given(operands, i).slot));
  build.dispatch("where", args, { overload: "self", to: [given(outputs, 0).slot] });
};

/** May return its operand. */
const cast: Operator = ({ build, operands, outputs }) => {
  const [x, { slot, dtype }] = [given(operands, 0), given(outputs, 0)];
  build.cast(x.slot, dtype, { to: slot, isOwner: x.dtype !== dtype });
};

export const elementwise: Readonly<Record<string, Operator>> = {
  Add: add,
  Sub: subtract,
  Mul: multiply,
  Div: divide,
  Pow: binary("pow", "Tensor_Tensor"),
  Neg: unary("neg"),
  Abs: unary("abs"),
  Sqrt: unary("sqrt"),
  Exp: unary("exp"),
  Log: unary("log"),
  Tanh: unary("tanh"),
  Sigmoid: unary("sigmoid"),
  Sin: unary("sin"),
  Cos: unary("cos"),
  Floor: unary("floor"),
  Reciprocal: unary("reciprocal"),
  Not: unary("logical_not"),
  And: binary("logical_and", ""),
  Or: binary("logical_or", ""),
  Less: binary("lt"),
  LessOrEqual: binary("le"),
  Greater: binary("gt"),
  GreaterOrEqual: binary("ge"),
  Equal: binary("eq"),
  Where: where,
  Cast: cast,
  Widen: cast,
};
