/** Prints values as TypeScript: named axes become positions, broadcasts become reshapes. */
import { familyOf, gridAxes } from "../../2-check/axes.ts";
import { describe, type Axis, type Core, type Term } from "../../2-check/core.ts";
import { at, call, list, object, type Code } from "./code.ts";
import { enlargeCode, networkCode } from "./network-code.ts";
import type { LocalFunction } from "./local-functions.ts";
import { host } from "./number.ts";
import { ownerOf, perSequence, startTimes } from "./references.ts";
import { hasName, type Scope } from "./scope.ts";
import { literal } from "./words.ts";

/** A tensor with exactly the axes of its type. */
export function device(core: Core, scope: Scope): Code {
  const { type, span } = core;
  if (type.stage === "sample")
    return at(span, call(scope.helper("perSample"), ["ops", scope.inputName(), host(core, scope)]));
  if (type.stage === "step") return at(span, perStep(core, scope));
  if (type.stage === "host") {
    const code = host(core, scope);
    return at(
      span,
      type.dtype === "bool" ? call(scope.helper("constantMask"), ["ops", "[]", code]) : op("fill", ["[]", code]),
    );
  }
  return at(span, localCall(core, scope) ?? tensorCode(core, scope));
}

/** A value that a function of the body makes. */
function localCall(core: Core, scope: Scope): Code | null {
  const made = scope.localCall(core, (of, name) => declaration(of, name, scope));
  if (made === null) return null;
  return call(
    made.name,
    made.args.map((arg) => (arg.type.stage === "host" ? at(arg.span, host(arg, scope)) : device(arg, scope))),
  );
}

function declaration({ written, parameters, body }: LocalFunction, name: string, scope: Scope): Code[] {
  const typed = parameters.map(
    (parameter) => `${scope.parameter(parameter)}: ${parameter.type.stage === "host" ? hostType(parameter) : "Tensor"}`,
  );
  return [
    `// ${scope.quote(written.head, written.body)}`,
    [at(written.head, `const ${name} = (${typed.join(", ")}): Tensor =>`), " ", device(body, scope), ";"],
  ];
}

const hostType = ({ type }: { readonly type: Core["type"] }): string => (type.dtype === "bool" ? "boolean" : "number");

/** A number or mask without axes that changes from step to step. */
function perStep(core: Core, scope: Scope): Code {
  const helper = scope.helper("perStep");
  const make = (value: Code) => call(helper, ["ops", scope.inputName(), value]);
  const code = host(core, scope);
  return core.type.dtype === "f32" ? make(code) : op("greater", [make([code, " ? 1 : 0"]), "0.5"]);
}

const op = (name: string, args: readonly Code[]): Code => call(`ops.${name}`, args);

function tensorCode(core: Core, scope: Scope): Code {
  switch (core.op) {
    case "ref":
      return scope.ref(core.key);
    case "source":
      return scope.sourceTensor(core.source);
    case "has":
    case "in":
      return call(scope.helper("marked"), ["batch", literal(core.op === "has" ? core.source : core.dataset)]);
    case "prediction":
    case "passPrediction":
      return predictionCode(core, scope);
    case "import":
    case "network":
    case "enlarge":
      return ofFunction(core, scope);
    case "output":
      return call(scope.helper("output"), ["prediction", `"${core.name}"`]);
    case "map":
      return mapCode(core, scope);
    case "reduce":
      return op(core.fn, [device(core.arg, scope), numbers(positionsOf(core.axes, core.arg.type.axes))]);
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
      return op("round", [device(core.arg, scope), `${scope.source(core.source)}.storage`]);
    case "stopGradient":
      return op("stopGradient", [device(core.arg, scope)]);
    case "extend":
    case "key":
      return core.op === "extend" ? extendCode(core, scope) : device(core.arg, scope);
    case "from":
      return fromCode(core, scope);
    case "neighbours":
      return neighboursCode(core, scope);
    case "shift":
      return shiftCode(core, scope);
    case "concat":
      return concatCode(core, scope);
    case "quantile":
    case "dft":
      return alongAxes(core, scope);
    case "others":
    case "assigned":
      return core.op === "others" ? othersCode(core, scope) : assignedCode(core, scope);
    default:
      throw new Error(`${core.op} is no tensor`);
  }
}

/** Of the step's own call, or of a pass. */
function predictionCode(core: Term<"prediction" | "passPrediction">, scope: Scope): Code {
  const { modality } = core;
  const made = core.op === "prediction" ? "prediction" : core.call.op === "ref" ? scope.ref(core.call.key) : "";
  return call(scope.helper("targetTokens"), ["ops", `${made}.${modality}`, scope.size(`token:${modality}`)]);
}

function ofFunction(core: Term<"import" | "network" | "enlarge">, scope: Scope): Code {
  if (core.op === "import") return importCode(core, scope);
  const arg = device(core.arg, scope);
  return core.op === "network" ? networkCode(core, arg, scope) : enlargeCode(core, arg, scope);
}

function importCode({ name, args, type }: Term<"import">, scope: Scope): Code {
  if (scope.hasStandIns) return standInCode(args, type, scope);
  const codes = args.map((arg) => (arg.type.stage === "host" ? host(arg, scope) : device(arg, scope)));
  const made = call(scope.imported(name), ["ops", ...codes]);
  if (type.stage === "host") return made;
  // A length of an axis that only the data knows is not compared.
  const shape = type.axes.map((axis) => (hasName(axis) ? scope.size(axis) : "null"));
  const written = [JSON.stringify(name), JSON.stringify(describe(type).replaceAll("`", "")), list(shape)];
  return call(scope.helper("imported"), [...written, ["() => ", made]]);
}

/** What an imported function is declared to return; each length is that of an argument's axis or of a grid. */
function standInCode(args: readonly Core[], { axes, dtype }: Core["type"], scope: Scope): Code {
  const tensors = args.filter((arg) => arg.type.stage !== "host");
  const shape = axes.map((axis): Code => {
    const owner = tensors.findIndex((arg) => arg.type.axes.includes(axis));
    if (owner >= 0) return list([String(owner), String(tensors[owner]?.type.axes.indexOf(axis))]);
    return hasName(axis) ? scope.size(axis) : "1";
  });
  const codes = tensors.map((arg) => device(arg, scope));
  const value = call(scope.helper("standIn"), ["ops", list(codes), list(shape)]);
  return dtype === "bool" ? op("greater", [value, "0"]) : value;
}

function alongAxes(core: Term<"quantile" | "dft">, scope: Scope): Code {
  const places = numbers(positionsOf(core.axes, core.arg.type.axes));
  const share = core.op === "quantile" ? [host(core.share, scope)] : [];
  return call(scope.helper(core.op), ["ops", device(core.arg, scope), ...share, places]);
}

function shiftCode({ arg, axis, by }: Term<"shift">, scope: Scope): Code {
  const place = String(arg.type.axes.indexOf(axis));
  return call(scope.helper("shifted"), ["ops", device(arg, scope), place, host(by, scope)]);
}

function othersCode({ arg }: Term<"others">, scope: Scope): Code {
  const { axes, dtype } = arg.type;
  const order = ["batch", ...axes.filter((axis) => axis !== "batch")];
  const code = dtype === "bool" ? op("float", [device(arg, scope)]) : device(arg, scope);
  const first = order.join() === axes.join() ? code : op("transpose", [code, numbers(positionsOf(order, axes))]);
  const made = call(scope.helper("others"), ["ops", first]);
  const placed = [...order.slice(0, 1), "other", ...order.slice(1)];
  const wanted = axes.flatMap((axis) => (axis === "batch" ? [axis, "other"] : [axis]));
  const back = wanted.join() === placed.join() ? made : op("transpose", [made, numbers(positionsOf(wanted, placed))]);
  return dtype === "bool" ? op("greater", [back, "0.5"]) : back;
}

function assignedCode({ arg, to }: Term<"assigned">, scope: Scope): Code {
  return call(scope.helper("assigned"), ["ops", device(arg, scope), device(to, scope)]);
}

function concatCode({ args, axis, type }: Term<"concat">, scope: Scope): Code {
  return op("concat", [list(args.map((arg) => device(arg, scope))), String(type.axes.indexOf(axis))]);
}

// ---------------------------------------------------------------------------------------------------------------- alignment

/** A value as an operand of an operation whose result has `axes`: a number, or a tensor with ones where it lacks an axis. */
function operand(core: Core, axes: readonly Axis[], scope: Scope): Code {
  return core.type.stage === "host" && core.type.dtype === "f32"
    ? at(core.span, host(core, scope))
    : aligned(core, axes, scope, false);
}

/** `full`: with as many axes as the result, also where leading ones would broadcast by themselves. */
function aligned(core: Core, axes: readonly Axis[], scope: Scope, full: boolean): Code {
  const own = core.type.axes;
  const wanted = axes.filter((axis) => own.includes(axis));
  const code = device(core, scope);
  const ordered = wanted.join() === own.join() ? code : op("transpose", [code, numbers(positionsOf(wanted, own))]);
  const first = full ? 0 : axes.findIndex((axis) => own.includes(axis));
  const shape = first < 0 ? [] : axes.slice(first);
  if (shape.join() === wanted.join()) return ordered;
  const isNamed = shape.every((axis) => !own.includes(axis) || hasName(axis));
  if (isNamed)
    return op("reshape", [ordered, list(shape.map((axis) => (own.includes(axis) ? scope.size(axis) : "1")))]);
  const places = shape.flatMap((axis, i) => (own.includes(axis) ? [] : [i]));
  return call(scope.helper("unsqueeze"), ["ops", ordered, numbers(places)]);
}

const positionsOf = (axes: readonly Axis[], of: readonly Axis[]): readonly number[] =>
  axes.map((axis) => of.indexOf(axis));

const numbers = (values: readonly number[]): string => `[${values.join(", ")}]`;

// --------------------------------------------------------------------------------------------------------------- operations

function mapCode(core: Term<"map">, scope: Scope): Code {
  const { fn, args, type } = core;
  const [base, exponent] = args;
  if (fn === "pow" && base?.type.stage === "device" && exponent?.op === "literal" && exponent.value === 2) {
    return op("square", [device(base, scope)]);
  }
  if (fn === "and" || fn === "or" || fn === "where") {
    // A mask is always a tensor; the values of `where` may be numbers.
    return op(
      fn,
      args.map((arg, i) =>
        fn === "where" && i > 0 ? operand(arg, type.axes, scope) : aligned(arg, type.axes, scope, false),
      ),
    );
  }
  const unary = args.length === 1;
  return op(
    fn,
    args.map((arg) => (unary ? device(arg, scope) : operand(arg, type.axes, scope))),
  );
}

/** The error is averaged over the axes that no weight has first: mean(e · w) is then the same and much smaller. */
function maskedMean({ error, weights }: Term<"maskedMean">, scope: Scope): Code {
  const { axes } = error.type;
  const inner = axes.filter((axis) => axis !== "batch");
  if (weights.length === 0) return op("mean", [device(error, scope), numbers(positionsOf(inner, axes))]);
  const outer = axes.filter((axis) => axis === "batch" || weights.some((weight) => weight.type.axes.includes(axis)));
  const reduced = axes.filter((axis) => !outer.includes(axis));
  const mean =
    reduced.length === 0
      ? device(error, scope)
      : op("mean", [device(error, scope), numbers(positionsOf(reduced, axes))]);
  const factors = weights.map((weight) => {
    const code = aligned(weight, outer, scope, true);
    return weight.type.dtype === "bool" ? op("float", [code]) : code;
  });
  const weight = factors.reduce((a, b) => op("mul", [a, b]));
  // How many pixels a cell has is told by the pixels themselves.
  if (weights.some(({ op }) => op === "enlarge"))
    return call(scope.helper("maskedPixels"), ["ops", mean, ["(pixels) => ", weight]]);
  return call(scope.helper("maskedMean"), ["ops", mean, weight]);
}

function broadcast({ arg, type }: Term<"broadcast">, scope: Scope): Code {
  const isComplete = type.axes.every((axis) => arg.type.axes.includes(axis));
  if (arg.type.stage === "device" && isComplete) return aligned(arg, type.axes, scope, false);
  const shape = list(sizes(type.axes, scope));
  if (arg.type.stage !== "host") return op("broadcastTo", [aligned(arg, type.axes, scope, false), shape]);
  if (type.dtype === "f32") return op("fill", [shape, at(arg.span, host(arg, scope))]);
  return call(scope.helper("constantMask"), ["ops", shape, at(arg.span, host(arg, scope))]);
}

function tokensCode(core: Term<"tokens">, scope: Scope): Code {
  const { arg, family } = core;
  const { axes } = arg.type;
  const bare = axes.map((axis) => axis.split(":")[0]).join();
  if (bare === "batch,channel,frame,height,width")
    return call(scope.helper("toVideoTokens"), ["ops", device(arg, scope)]);
  if (bare === "batch,channel,step,mel") return call(scope.helper("toAudioTokens"), ["ops", device(arg, scope)]);
  const grid = gridOf(family, scope);
  const own = grid.filter((axis) => axes.includes(axis));
  const head = axes.includes("batch") ? ["batch"] : [];
  const order = [
    ...head,
    ...own,
    ...core.type.axes.slice(head.length + 1).map((axis) => (axes.includes(axis) ? axis : "mel")),
  ];
  const code = device(arg, scope);
  const ordered = order.join() === axes.join() ? code : op("transpose", [code, numbers(positionsOf(order, axes))]);
  const lengths = list(grid.map((axis) => scope.size(axis)));
  const present = list(grid.map((axis) => String(axes.includes(axis))));
  return call(scope.helper("overTokens"), ["ops", ordered, String(head.length), lengths, present]);
}

/** The axes that a family's tokens are the product of. */
function gridOf(family: string, scope: Scope): readonly Axis[] {
  if (family === "video" || family === "audio") return gridAxes[family];
  return gridAxes[scope.modalityOfReference(family)].map((axis) => `${axis}:${family}`);
}

function gridCode({ arg, family }: Term<"grid">, scope: Scope): Code {
  const position = arg.type.axes.indexOf(`token:${family}`);
  const lengths = list(gridOf(family, scope).map((axis) => scope.size(axis)));
  return call(scope.helper("overGrid"), ["ops", device(arg, scope), String(position), lengths]);
}

/** Lengths of axes; channels are counted per modality. */
function sizes(axes: readonly Axis[], scope: Scope): Code[] {
  const family = familyOf(axes);
  const isReference = family !== null && family !== "clash" && family !== "video" && family !== "audio";
  const modality = isReference ? scope.modalityOfReference(family) : family === "audio" ? "audio" : "video";
  return axes.map((axis) => scope.size(axis === "channel" ? `channel:${modality}` : axis));
}

function drawCode({ fn, place, storage, type }: Term<"draw">, scope: Scope): Code {
  scope.contextMember("draws");
  const rounded = storage === null ? [] : [`${scope.source(storage)}.storage`];
  return call(`draws.${fn}`, [`"${place}"`, list(sizes(type.axes, scope)), ...rounded]);
}

function sampledCode({ place, modality, shifted, type }: Term<"sampled">, scope: Scope): Code {
  scope.contextMember("draws");
  const args = [`"${place}"`, list(sizes(type.axes, scope)), scope.size(`token:${modality}`)];
  if (shifted === null) return call("draws.sampled", args);
  const { std, eps, uniformProb } = shifted;
  const params = [
    ["std: ", host(std, scope)],
    ["eps: ", host(eps, scope)],
    ["uniform_prob: ", host(uniformProb, scope)],
  ];
  return call("draws.shiftedLogitNormal", [...args, object("", params)]);
}

function coordinateCode(core: Term<"coordinate">, scope: Scope): Code {
  const { modality, coordinate, fps } = core;
  const owner = ownerOf(core);
  const inSequence = core.sequence && scope.hasReferences(owner);
  if (coordinate === "time") return core.sequence ? startTimes(owner, scope) : timeCode(fps, scope);
  const count = inSequence ? "" : scope.size(`token:${modality}`);
  const { value, uses } = coordinates[coordinate];
  if (!inSequence) uses.forEach((axis) => scope.size(axis));
  if (!inSequence) return call(scope.helper("perToken"), ["ops", count, `(token) => ${value}`]);
  return perSequence(
    owner,
    uses.length === 0 ? `(token) => ${value}` : `(token, { ${uses.join(", ")} }) => ${value}`,
    scope,
  );
}

/** Of a token, from its index; and the sizes of the grid that it takes. */
const coordinates = {
  frame_index: { value: "Math.floor(token / (height * width))", uses: ["height", "width"] },
  row: { value: "Math.floor(token / width) % height", uses: ["height", "width"] },
  column: { value: "token % width", uses: ["width"] },
  step_index: { value: "token", uses: [] },
} as const;

/** Start of each target token: audio steps are 4 hops of 10 ms, the first shorter; video cells are `time` frames, the first one. */
function timeCode(fps: Core | null, scope: Scope): Code {
  const perToken = (axis: string, value: string) =>
    call(scope.helper("perToken"), ["ops", scope.size(axis), `(token) => ${value}`]);
  if (fps === null) return perToken("token:audio", "Math.max(0, 4 * token - 3) / 100");
  const time = scope.contextMember("scaleFactors") + ".time";
  const frame = coordinates.frame_index.value;
  coordinates.frame_index.uses.forEach((axis) => scope.size(axis));
  const start = perToken("token:video", `Math.max(0, (${frame} - 1) * ${time} + 1)`);
  return op("div", [start, operand(fps, ["batch", "token:video"], scope)]);
}

// --------------------------------------------------------------------------------------------------- references and target

function extendCode(core: Term<"extend">, scope: Scope): Code {
  const { arg, modality } = core;
  const owner = ownerOf(core);
  if (!scope.hasReferences(owner)) return device(arg, scope);
  const axis = arg.type.axes.indexOf(`token:${modality}`);
  return call(scope.helper("onSequence"), ["ops", device(arg, scope), String(axis), scope.size(`sequence:${owner}`)]);
}

function fromCode(core: Term<"from">, scope: Scope): Code {
  const isFrom = `(_, part) => (part === ${scope.source(core.source)} ? 1 : 0)`;
  return op("greater", [perSequence(ownerOf(core), isFrom, scope), "0.5"]);
}

// -------------------------------------------------------------------------------------------------------------- neighbours

/** With height and width as the last two axes, between transposes where they are not. */
function neighboursCode({ fn, arg, radius }: Term<"neighbours">, scope: Scope): Code {
  const { axes, dtype } = arg.type;
  const isPlane = (axis: Axis) => /^(height|width)(:|$)|^pixel_(row|column)(\/|$)/.test(axis);
  const order = [...axes.filter((axis) => !isPlane(axis)), ...axes.filter(isPlane)];
  const inPlace = order.join() === axes.join();
  const code = dtype === "bool" ? op("float", [device(arg, scope)]) : device(arg, scope);
  const x = inPlace ? code : op("transpose", [code, numbers(positionsOf(order, axes))]);
  const made = call(scope.helper(fn), ["ops", x, host(radius, scope)]);
  const back = inPlace ? made : op("transpose", [made, numbers(positionsOf(axes, order))]);
  return dtype === "bool" ? op("greater", [back, "0.5"]) : back;
}
