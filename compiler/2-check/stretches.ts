/**
 * Masks of a stretch of a modality: `prefix(n)`, `suffix(n)` and `crop(y1, x1, y2, x2)`. A cell belongs to a stretch as soon as any part of
 * it lies inside, whatever the unit. A bare number, which version 1 of the language allows, counts latent frames or steps, and in `crop`
 * pixels, of which it rounds every edge down.
 */
import type { Unit } from "../1-parse/expression/ast.ts";
import { failed, values, type Call } from "./call.ts";
import { map } from "./combine.ts";
import {
  hostNumber,
  literal,
  poisoned,
  type Coordinate,
  type Core,
  type Elementwise,
  type GridSize,
  type ModalityName,
} from "./core.ts";
import { spanOf } from "./report.ts";
import { unitWords, unitsIn } from "./units.ts";

/** Parts of a cell that are smaller than this come from rounding, as in 7 % of 100. */
const crumb = 1e-3;

/** Spectrogram frames of audio: a hop of 160 at 16 kHz, four of them in each latent step but the first, which is one. */
const audioFramesPerSecond = 100;
const audioFramesPerStep = 4;

/** The modality's coordinate, `frame_index` for one. */
type PlaceOf = (of: Coordinate) => Core;

export function stretch(modality: ModalityName, call: Call, place: PlaceOf): Core {
  const args = values(call);
  if (args === null) return failed(call);
  if (call.name === "crop") return crop(call, args, place);
  const [n = poisoned(null)] = args;
  if (!hasUnit(call, n, unitsIn(call.name, modality), modality)) return failed(call);
  const apply: Apply = (fn, ...parts) => map(call.env.report, fn, parts, call.span, `\`${call.name}\``);
  const length = size(modality, modality === "video" ? "frames" : "steps");
  const index = place(modality === "video" ? "frame_index" : "step_index");
  const fromStart = call.name === "prefix";
  // Counted from the end, so that both round alike.
  const at = fromStart ? index : apply("sub", apply("sub", length, literal(1)), index);
  return apply("less", at, cellsOf(plain(n), n.type.unit, { modality, call, apply, length, fromStart }));
}

type Apply = (fn: Elementwise, ...args: Core[]) => Core;

interface Counting {
  readonly modality: ModalityName;
  readonly call: Call;
  readonly apply: Apply;
  readonly length: Core;
  readonly fromStart: boolean;
}

/** How many latent frames or steps a number is, with a part for one that it does not fill. */
function cellsOf(n: Core, unit: Unit | undefined, counting: Counting): Core {
  const { apply, length, modality, call, fromStart } = counting;
  const without = (cells: Core) => apply("sub", cells, literal(crumb));
  if (unit === "%") return without(share(apply, length, n));
  if (unit === "f") return without(inCells(apply, n, scale("time"), fromStart));
  if (unit !== "s") return n;
  const fps = modality === "video" ? call.env.bindings.refer("video.fps", call.span) : literal(audioFramesPerSecond);
  const each = modality === "video" ? scale("time") : literal(audioFramesPerStep);
  return fps === null ? poisoned(call.span) : without(inCells(apply, apply("mul", n, fps), each, fromStart));
}

/** The first cell holds one of the frames, all others `each`: n frames from the start are min(n, (n + each - 1) / each) cells. */
function inCells(apply: Apply, n: Core, each: Core, fromStart: boolean): Core {
  if (!fromStart) return apply("div", n, each);
  return apply("minimum", n, apply("div", apply("add", n, apply("sub", each, literal(1))), each));
}

const share = (apply: Apply, length: Core, percent: Core): Core =>
  apply("div", apply("mul", length, percent), literal(100));

// ---------------------------------------------------------------------------------------------------------------------- crop

function crop(call: Call, args: readonly Core[], place: PlaceOf): Core {
  if (!args.every((edge) => hasUnit(call, edge, unitsIn(call.name, "video"), "video"))) return failed(call);
  const [top, left, bottom, right] = args as readonly [Core, Core, Core, Core];
  const apply: Apply = (fn, ...parts) => map(call.env.report, fn, parts, call.span, "`crop`");
  const rows = between(call, apply, place("row"), { from: top, to: bottom, along: "height" });
  return apply("and", rows, between(call, apply, place("column"), { from: left, to: right, along: "width" }));
}

interface Edges {
  readonly from: Core;
  readonly to: Core;
  readonly along: "height" | "width";
}

function between(call: Call, apply: Apply, at: Core, { from, to, along }: Edges): Core {
  const { env, span } = call;
  // Both edges are of one kind: a written 0 is of the other's.
  const isBare = from.type.unit === undefined && to.type.unit === undefined;
  if (!isBare) {
    const [first, last] = [from, to].map((edge) => inPlace(apply, edge, along)) as [Core, Core];
    const begins = apply("less", apply("add", first, literal(crumb)), apply("add", at, literal(1)));
    return apply("and", begins, apply("less", at, apply("sub", last, literal(crumb))));
  }
  if (from.type.stage !== "host" || to.type.stage !== "host") {
    env.report.error("LTX4014", span, "the edges of `crop` are numbers, not tensors", {
      help: "use numbers or parameters, in pixels",
    });
    return poisoned(span);
  }
  const cell = (arg: Core): Core => ({ op: "cell", arg, along, type: hostNumber, span: null });
  return apply("and", apply("greaterEqual", at, cell(from)), apply("less", at, cell(to)));
}

/** An edge in cells, with a part for where it lies inside of one. */
function inPlace(apply: Apply, edge: Core, along: "height" | "width"): Core {
  const n = plain(edge);
  return edge.type.unit === "%" ? share(apply, size("video", along), n) : apply("div", n, scale(along));
}

// --------------------------------------------------------------------------------------------------------------------- parts

/** The number alone, whose unit has been read. */
const plain = (core: Core): Core => {
  const { unit: _, ...type } = core.type;
  return { ...core, type };
};

const size = (of: ModalityName, name: GridSize): Core => ({ op: "size", of, size: name, type: hostNumber, span: null });

const scale = (along: "time" | "height" | "width"): Core => ({ op: "scale", along, type: hostNumber, span: null });

/** Whether a length has one of the units that its place takes, or in version 1 of the language none; reports what is wrong otherwise. */
function hasUnit(call: Call, n: Core, allowed: readonly Unit[], modality: ModalityName): boolean {
  const { report, language } = call.env;
  const { unit } = n.type;
  const where = `\`${call.name}\`${modality === "audio" ? " of audio" : ""}`;
  if (unit !== undefined && allowed.includes(unit)) return true;
  const units = allowed.map(
    (each) => `\`${each}\` (${each === "lf" && modality === "audio" ? "latent steps" : unitWords[each]})`,
  );
  if (unit !== undefined) {
    report.error("LTX4052", spanOf(n), `${where} cannot count ${unitWords[unit]}`, {
      help: `units here are ${units.join(", ")}`,
    });
    return false;
  }
  const isZero = n.op === "literal" && n.value === 0;
  const isLength = call.name !== "crop" && n.op === "size" && (n.size === "frames" || n.size === "steps");
  if (language < 2 || isZero || isLength || n.span === null || !report.isOwn(call.span)) return true;
  reportBare(call, n, allowed, { where, units });
  return false;
}

function reportBare(
  { env, name }: Call,
  n: Core,
  allowed: readonly Unit[],
  said: { readonly where: string; readonly units: readonly string[] },
): void {
  const [usual = "lf"] = allowed;
  const span = spanOf(n);
  const text = env.report.textAt(n.span) ?? "n";
  const declared = n.op === "param" ? env.declarations.byName.get(n.name) : undefined;
  const isShare = name === "crop" && n.op === "literal" && typeof n.value === "number" && n.value > 0 && n.value <= 1;
  if (isShare) {
    env.report.error("LTX4051", span, `${said.where} takes a number with a unit`, {
      help: `for this share of the picture write \`${Number((100 * Number(n.value)).toPrecision(12))}%\`, for pixels \`64px\``,
    });
    return;
  }
  const written =
    n.op === "literal" ? `${text}${usual}` : `${/^[\w.[\]]+$/.test(text) ? text : `(${text})`} * 1${usual}`;
  const help =
    n.op === "param" ? `give \`${n.name}\` a unit where it is declared: \`unit: ${usual}\`` : `write \`${written}\``;
  env.report.error("LTX4051", span, `${said.where} takes a number with a unit`, {
    help: `${help}, which is what version 1 of the language means; units here are ${said.units.join(", ")}`,
    labels: declared === undefined ? [] : [{ span: declared.name.span, message: "declared here, without a unit" }],
    ...(name === "crop" || n.op === "param"
      ? {}
      : { fix: { title: `write \`${written}\``, edits: [{ span, text: written }] } }),
  });
}
