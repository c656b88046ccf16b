/** Prints values as operations of PyTorch: named axes become positions, broadcasts become indices with `None`. */
import { familyOf } from "../../2-check/axes.ts";
import type { Axis, Core, ModalityName, Term } from "../../2-check/core.ts";
import {
  atom,
  call,
  choice,
  flat,
  index,
  infix,
  list,
  member,
  method,
  named,
  spread,
  tuple,
  type Code,
} from "./code.ts";
import { isDeep } from "./depth.ts";
import { asFloat, elementwise, isNumber } from "./elementwise.ts";
import { host } from "./number.ts";
import type { Scope } from "./scope.ts";

/** A tensor with exactly the axes of its type, in float32 or bool. */
export function device(core: Core, scope: Scope): Code {
  if (isNumber(core)) return constant(core, [], scope);
  return isDeep(core) ? scope.named(() => shallow(core, scope)) : shallow(core, scope);
}

function shallow(core: Core, scope: Scope): Code {
  return core.type.stage === "sample" ? inFloat32(core, scope) : tensorCode(core, scope);
}

/** One number for each sample, `[batch]` in float64 or bool. */
export function sample(core: Core, scope: Scope): Code {
  switch (core.op) {
    case "fps":
      return scope.fps(core.source);
    case "ref":
      return atom(scope.ref(core.key));
    case "draw":
      return method(drawCode(core, scope), "double");
    case "broadcast":
      return isNumber(core.arg) ? perSample(core, scope) : sample(core.arg, scope);
    case "map":
      return elementwise(core, (arg) => (isNumber(arg) ? host(arg, scope) : sample(arg, scope)));
    default:
      throw new Error(`${core.op} has no value for each sample`);
  }
}

function perSample({ arg, type }: Term<"broadcast">, scope: Scope): Code {
  const dtype = named("dtype", type.dtype === "bool" ? "torch.bool" : "torch.float64");
  return call("torch.full", [tuple([scope.size("batch")]), host(arg, scope), dtype, scope.device()]);
}

const inFloat32 = (core: Core, scope: Scope): Code =>
  core.type.dtype === "bool" ? sample(core, scope) : method(sample(core, scope), "float");

/** A number or mask that is the same everywhere. */
function constant(core: Core, shape: readonly Code[], scope: Scope): Code {
  const place = scope.device();
  const { dtype } = core.type;
  const known = core.op === "literal" ? core.value : null;
  const type = dtype === "bool" ? [named("dtype", "torch.bool")] : [];
  if (known === 0 || known === false) return call("torch.zeros", [tuple(shape), ...type, place]);
  if (known === 1 || known === true) return call("torch.ones", [tuple(shape), ...type, place]);
  const exact = dtype === "bool" ? type : [named("dtype", "torch.float32")];
  return call("torch.full", [tuple(shape), host(core, scope), ...exact, place]);
}

function tensorCode(core: Core, scope: Scope): Code {
  switch (core.op) {
    case "ref":
      return atom(scope.ref(core.key));
    case "source":
      return method(scope.source(core.source), "float");
    case "prediction":
    case "passPrediction":
      return predictionCode(core, scope);
    case "import":
      return importCode(core, scope);
    case "output":
      return scope.outputOf(core.name);
    case "map":
      return elementwise(core, (arg) => operand(arg, core.type.axes, scope));
    case "reduce":
      return reduceCode(core, scope);
    case "maskedMean":
      return maskedMean(core, scope);
    case "tokens":
    case "grid":
      return core.op === "tokens" ? tokensCode(core, scope) : gridCode(core, scope);
    case "broadcast":
      return broadcast(core, scope);
    case "draw":
      return drawCode(core, scope);
    case "sampled":
      return sampledCode(core, scope);
    case "coordinate":
      return coordinateCode(core, scope);
    case "round":
      return call("rounded", [device(core.arg, scope), member(scope.source(core.source), "dtype")]);
    case "stopGradient":
      return method(device(core.arg, scope), "detach");
    case "extend":
      return extendCode(core, scope);
    case "key":
      return device(core.arg, scope);
    case "from":
      return call("is_from", [scope.source(core.source), scope.parts(ownerOf(core))]);
    case "neighbours":
      return neighboursCode(core, scope);
    case "shift":
      return call("shifted", [device(core.arg, scope), placeOf(core.axis, core.arg), host(core.by, scope)]);
    case "quantile":
    case "dft":
      return alongAxes(core, scope);
    case "others":
      return othersCode(core, scope);
    case "assigned":
      return call("assigned", [device(core.arg, scope), device(core.to, scope)]);
    case "concat":
      return call("torch.cat", [
        list(core.args.map((arg) => device(arg, scope))),
        String(core.type.axes.indexOf(core.axis)),
      ]);
    default:
      throw new Error(`${core.op} is no tensor`);
  }
}

/** What the step's own call of the model predicts, or another one, see library/passes.py. */
function predictionCode(core: Term<"prediction" | "passPrediction">, scope: Scope): Code {
  const { modality } = core;
  if (core.op === "passPrediction") return passPredictionCode(core, scope);
  return ofTarget(atom(`${modality}_pred`), modality, scope.hasReferences(modality), scope);
}

function passPredictionCode({ pass, modality, call: made }: Term<"passPrediction">, scope: Scope): Code {
  const whole = member(scope.ref(made.op === "ref" ? made.key : ""), modality);
  const hasReferences = scope.hasReferences(modality) || scope.hasReferences(`${pass}.${modality}`);
  return ofTarget(whole, modality, hasReferences, scope);
}

/** A prediction without the tokens of references. */
function ofTarget(whole: Code, modality: ModalityName, hasReferences: boolean, scope: Scope): Code {
  if (!hasReferences) return method(whole, "float");
  return method(index(whole, `:, -${flat(scope.size(`token:${modality}`))}:`), "float");
}

function importCode({ name, args }: Term<"import">, scope: Scope): Code {
  const codes = args.map((arg) => (arg.type.stage === "host" ? asFloat(host(arg, scope), arg) : device(arg, scope)));
  return call(scope.imported(name), codes);
}

function alongAxes(core: Term<"quantile" | "dft">, scope: Scope): Code {
  const share = core.op === "quantile" ? [host(core.share, scope)] : [];
  return call(core.op, [device(core.arg, scope), ...share, tuple(positionsOf(core.axes, core.arg.type.axes))]);
}

function othersCode({ arg }: Term<"others">, scope: Scope): Code {
  const { axes } = arg.type;
  const order = ["batch", ...axes.filter((axis) => axis !== "batch")];
  const made = call("others", [permuted(device(arg, scope), axes, order)]);
  const wanted = axes.flatMap((axis) => (axis === "batch" ? [axis, "other"] : [axis]));
  return permuted(made, [...order.slice(0, 1), "other", ...order.slice(1)], wanted);
}

const placeOf = (axis: Axis, { type }: Core): string => String(type.axes.indexOf(axis));

// ---------------------------------------------------------------------------------------------------------------- alignment

/** A value as an operand of an operation whose result has `axes`: a number, or a tensor with `None` where it lacks an axis. */
function operand(core: Core, axes: readonly Axis[], scope: Scope): Code {
  return isNumber(core) ? host(core, scope) : aligned(core, axes, scope, false);
}

/** `full`: with as many axes as the result, also where leading ones would broadcast by themselves. */
function aligned(core: Core, axes: readonly Axis[], scope: Scope, full: boolean): Code {
  const own = core.type.axes;
  const wanted = axes.filter((axis) => own.includes(axis));
  const ordered = permuted(device(core, scope), own, wanted);
  const first = full ? 0 : axes.findIndex((axis) => own.includes(axis));
  const shape = first < 0 ? [] : axes.slice(first);
  if (shape.length === wanted.length) return ordered;
  const places = shape.map((axis) => (own.includes(axis) ? ":" : "None"));
  return index(ordered, places.slice(0, places.lastIndexOf("None") + 1).join(", "));
}

function permuted(code: Code, from: readonly Axis[], to: readonly Axis[]): Code {
  if (from.join() === to.join()) return code;
  return method(code, "permute", positionsOf(to, from));
}

const positionsOf = (axes: readonly Axis[], of: readonly Axis[]): readonly string[] =>
  axes.map((axis) => String(of.indexOf(axis)));

const oneOrTuple = (places: readonly string[]): Code => (places.length === 1 ? atom(places[0] ?? "") : tuple(places));

// --------------------------------------------------------------------------------------------------------------- operations

function reduceCode({ fn, arg, axes }: Term<"reduce">, scope: Scope): Code {
  const code = device(arg, scope);
  const places = positionsOf(axes, arg.type.axes);
  if (places.length === 0) return code;
  if (fn === "any" || fn === "all") {
    const descending = places.toSorted((a, b) => Number(b) - Number(a));
    return descending.reduce((inner, place) => method(inner, fn, [place]), code);
  }
  const name = { mean: "mean", sum: "sum", max: "amax", min: "amin" }[fn];
  return method(code, name, [oneOrTuple(places)]);
}

/** The error is averaged over the axes that no weight has first: mean(e · w) is then the same and much smaller. */
function maskedMean({ error, weights }: Term<"maskedMean">, scope: Scope): Code {
  const { axes } = error.type;
  const averaged = (over: readonly Axis[]) =>
    over.length === 0
      ? device(error, scope)
      : method(device(error, scope), "mean", [oneOrTuple(positionsOf(over, axes))]);
  if (weights.length === 0) return averaged(axes.filter((axis) => axis !== "batch"));
  const outer = axes.filter((axis) => axis === "batch" || weights.some((weight) => weight.type.axes.includes(axis)));
  const factors = weights.map((weight) => {
    const code = aligned(weight, outer, scope, true);
    return weight.type.dtype === "bool" ? method(code, "float") : code;
  });
  const mean = averaged(axes.filter((axis) => !outer.includes(axis)));
  return call("masked_mean", [mean, factors.reduce((a, b) => infix(a, "*", b))]);
}

function broadcast({ arg, type }: Term<"broadcast">, scope: Scope): Code {
  const isComplete = type.axes.every((axis) => arg.type.axes.includes(axis));
  if (!isNumber(arg) && isComplete) return aligned(arg, type.axes, scope, false);
  if (isNumber(arg)) return constant(arg, sizes(type.axes, scope), scope);
  const shape = type.axes.map((axis) => (arg.type.axes.includes(axis) ? atom("-1") : sizeOf(axis, type.axes, scope)));
  return method(aligned(arg, type.axes, scope, true), "expand", shape);
}

/** Lengths of axes; channels are counted per modality. */
const sizes = (axes: readonly Axis[], scope: Scope): Code[] => axes.map((axis) => sizeOf(axis, axes, scope));

function sizeOf(axis: Axis, axes: readonly Axis[], scope: Scope): Code {
  return scope.size(axis === "channel" ? `channel:${scope.modalityOf(familyOf(axes))}` : axis);
}

function tokensCode({ arg, family, type }: Term<"tokens">, scope: Scope): Code {
  const { axes } = arg.type;
  const code = device(arg, scope);
  const bare = axes.map((axis) => axis.split(":")[0]).join();
  if (bare === "batch,channel,frame,height,width") return call("to_video_tokens", [code]);
  if (bare === "batch,channel,step,mel") return call("to_audio_tokens", [code]);
  const grid = scope.gridAxes(family);
  const own = grid.filter((axis) => axes.includes(axis));
  const head = axes.includes("batch") ? ["batch"] : [];
  const rest = type.axes.slice(head.length + 1).map((axis) => (axes.includes(axis) ? axis : "mel"));
  const ordered = permuted(code, axes, [...head, ...own, ...rest]);
  if (own.length === grid.length) {
    return grid.length === 1
      ? ordered
      : method(ordered, "flatten", [head.length, head.length + grid.length - 1].map(String));
  }
  const present = list(grid.map((axis) => (axes.includes(axis) ? "True" : "False")));
  return call("over_tokens", [ordered, String(head.length), tuple(grid.map((axis) => scope.size(axis))), present]);
}

function gridCode({ arg, family }: Term<"grid">, scope: Scope): Code {
  const grid = scope.gridAxes(family);
  const code = device(arg, scope);
  if (grid.length === 1) return code;
  return method(code, "unflatten", [placeOf(`token:${family}`, arg), tuple(grid.map((axis) => scope.size(axis)))]);
}

function drawCode({ fn, place, storage, type }: Term<"draw">, scope: Scope): Code {
  const rounded = storage === null ? [] : [member(scope.source(storage), "dtype")];
  return method(scope.draws(), fn, [`"${place}"`, tuple(sizes(type.axes, scope)), ...rounded]);
}

function sampledCode({ place, modality, shifted, type }: Term<"sampled">, scope: Scope): Code {
  const args = [`"${place}"`, tuple(sizes(type.axes, scope)), scope.size(`token:${modality}`)];
  if (shifted === null) return method(scope.draws(), "sampled", args);
  const { std, eps, uniformProb } = shifted;
  return method(scope.draws(), "shifted_logit_normal", [
    ...args,
    named("std", host(std, scope)),
    named("eps", host(eps, scope)),
    named("uniform_prob", host(uniformProb, scope)),
  ]);
}

// -------------------------------------------------------------------------------------------------------------- coordinates

/** Of a token, from its index in its grid. */
const coordinates: Readonly<Record<string, (token: Code, size: (name: string) => Code) => Code>> = {
  frame_index: (token, size) => infix(token, "//", infix(size("height"), "*", size("width"))),
  row: (token, size) => infix(infix(token, "//", size("width")), "%", size("height")),
  column: (token, size) => infix(token, "%", size("width")),
  step_index: (token) => token,
};

function coordinateCode(core: Term<"coordinate">, scope: Scope): Code {
  const { modality, coordinate, fps, sequence } = core;
  const owner = ownerOf(core);
  if (coordinate === "time") {
    return sequence ? index(scope.positions(owner), ":, 0, :, 0") : timeCode(modality, fps, scope);
  }
  if (sequence && scope.hasReferences(owner)) {
    const args = modality === "video" ? "token, frames, height, width" : "token, steps";
    const value = coordinates[coordinate]?.(atom("token"), (name) => atom(name));
    return call("in_sequence", [scope.parts(owner), atom(`lambda ${args}: ${flat(value ?? atom(""))}`)]);
  }
  return method(ofToken(coordinate, modality, scope), "float");
}

const ofToken = (coordinate: string, modality: ModalityName, scope: Scope): Code =>
  coordinates[coordinate]?.(scope.token(modality), (axis) => scope.size(axis)) ?? atom("");

/** Start of each target token: audio steps are 4 hops of 10 ms, the first shorter; video cells are `time` frames, the first one. */
function timeCode(modality: ModalityName, fps: Core | null, scope: Scope): Code {
  const first = ofToken(modality === "video" ? "frame_index" : "step_index", modality, scope);
  if (fps === null) {
    return infix(method(infix(infix(first, "*", "4"), "-", "3"), "clamp", [named("min", "0")]), "/", "100");
  }
  const pixels = infix(infix(infix(first, "-", "1"), "*", "self.video_scale_factors.time"), "+", "1");
  return infix(method(pixels, "clamp", [named("min", "0")]), "/", operand(fps, ["batch", "token:video"], scope));
}

// --------------------------------------------------------------------------------------------------- references and target

/** `video`, or `near.video` where a pass has references of its own. */
function ownerOf({ modality, pass }: { readonly modality: ModalityName; readonly pass?: string }): string {
  return pass === undefined ? modality : `${pass}.${modality}`;
}

function extendCode(core: Term<"extend">, scope: Scope): Code {
  const { arg, modality } = core;
  const owner = ownerOf(core);
  if (!scope.hasReferences(owner)) return device(arg, scope);
  const place = placeOf(`token:${modality}`, arg);
  return call("after_references", [device(arg, scope), place, scope.size(`sequence:${owner}`)]);
}

/** The references that take part, in the order of the sequence: the last one listed comes first. */
export function referencesCode({ entries, modality }: Term<"references">, scope: Scope): Code {
  const parts = entries.map(({ source, place, probability }): Code => {
    const latents = scope.source(source);
    const own = modality === "video" ? tuple([latents, scope.fps(source)]) : latents;
    if (probability === null) return own;
    const takesPart = method(scope.draws(), "chance", [`"${place}"`, host(probability, scope)]);
    return entries.length === 1
      ? choice(takesPart, list([own]), list([]))
      : spread(choice(takesPart, list([own]), list([])));
  });
  const [only] = parts;
  return only?.kind === "choice" ? only : list(parts.toReversed());
}

// -------------------------------------------------------------------------------------------------------------- neighbours

/** With height and width as the last two axes, moved there and back where they are not. */
function neighboursCode({ fn, arg, radius }: Term<"neighbours">, scope: Scope): Code {
  const { axes, dtype } = arg.type;
  const isPlane = (axis: Axis) => /^(height|width)(:|$)/.test(axis);
  const order = [...axes.filter((axis) => !isPlane(axis)), ...axes.filter(isPlane)];
  const code = dtype === "bool" ? method(device(arg, scope), "float") : device(arg, scope);
  const made = permuted(call(fn, [permuted(code, axes, order), host(radius, scope)]), order, axes);
  return dtype === "bool" ? infix(made, ">", "0.5") : made;
}
