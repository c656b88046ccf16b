import { detached, sumTo, withGradient } from "./autodiff.ts";
import { roundTo } from "./ops-round.ts";
import type { Tf, TfOperand, TfOps, TfTensor } from "../graph/record/tfjs-types.ts";

type Elementwise = Pick<
  TfOps,
  | ("add" | "sub" | "mul" | "div" | "pow" | "maximum" | "minimum")
  | ("neg" | "abs" | "square" | "sqrt" | "exp" | "log" | "tanh" | "sigmoid" | "sin" | "cos" | "floor")
  | ("less" | "lessEqual" | "greater" | "greaterEqual" | "equal" | "notEqual" | "and" | "or" | "not" | "where")
  | ("float" | "round" | "stopGradient")
>;

/** Arithmetic, comparisons and logic. */
export function elementwiseOps(tf: Tf): Elementwise {
  const float = (x: TfOperand) => (typeof x === "number" ? tf.scalar(x, "float32") : tf.cast(x, "float32"));
  const compare = (f: (a: TfOperand, b: TfOperand) => TfTensor) => (a: TfOperand, b: TfOperand) =>
    detached(tf, () => f(a, b));
  const where = (m: TfTensor, a: TfOperand, b: TfOperand) => select(tf, m, float(a), float(b));
  return {
    add: tf.add,
    sub: tf.sub,
    mul: tf.mul,
    // tfjs returns int32 for the quotient of two int32 tensors.
    div: (a, b) => tf.div(float(a), float(b)),
    pow: tf.pow,
    // tfjs's gradients of maximum and minimum do not sum over broadcast axes.
    maximum: (a, b) => where(compare(tf.greaterEqual)(a, b), a, b),
    minimum: (a, b) => where(compare(tf.lessEqual)(a, b), a, b),
    neg: tf.neg,
    abs: tf.abs,
    square: tf.square,
    sqrt: tf.sqrt,
    exp: tf.exp,
    log: tf.log,
    tanh: tf.tanh,
    sigmoid: tf.sigmoid,
    sin: tf.sin,
    cos: tf.cos,
    floor: (x) => detached(tf, () => tf.floor(x)),
    less: compare(tf.less),
    lessEqual: compare(tf.lessEqual),
    greater: compare(tf.greater),
    greaterEqual: compare(tf.greaterEqual),
    equal: compare(tf.equal),
    notEqual: compare(tf.notEqual),
    and: (a, b) => detached(tf, () => tf.logicalAnd(a, b)),
    or: (a, b) => detached(tf, () => tf.logicalOr(a, b)),
    not: (m) => detached(tf, () => tf.logicalNot(m)),
    where,
    float: (x) => float(x),
    round: (x, storage) => detached(tf, () => roundTo(tf, x, storage)),
    stopGradient: (x) => detached(tf, () => tf.clone(x)),
  };
}

/** `m ? a : b` with broadcasting. A NaN on the side that is not chosen does not reach the gradient. */
function select(tf: Tf, m: TfTensor, a: TfTensor, b: TfTensor): TfTensor {
  const shape = [m, a, b].map((x) => x.shape).reduce((s, t) => tf.broadcast_util.assertAndGetBroadcastShape(s, t));
  const spread = (x: TfTensor) => (x.shape.join() === shape.join() ? x : tf.broadcastTo(x, shape));
  return withGradient(
    tf,
    [a, b],
    (save) => {
      const chosen = spread(m);
      save([chosen]);
      return tf.where(chosen, spread(a), spread(b));
    },
    (dy, [chosen]) => {
      const [mask, zero] = [chosen as TfTensor, tf.zerosLike(dy)];
      return [sumTo(tf, tf.where(mask, dy, zero), a.shape), sumTo(tf, tf.where(mask, zero, dy), b.shape)];
    },
  );
}
