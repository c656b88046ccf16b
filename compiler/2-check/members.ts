/** What a modality exposes: its values, coordinates, masks and sampler. */
import type { Expression } from "../1-parse/expression/ast.ts";
import type { Span } from "../source/span.ts";
import { argumentNames, membersOf, methodsOf } from "./builtins.ts";
import { failed, hasArguments, type Call } from "./call.ts";
import { drawAxes } from "./draws.ts";
import { map } from "./combine.ts";
import {
  type Axis,
  hostNumber,
  literal,
  poisoned,
  tensor,
  type Coordinate,
  type Core,
  type GridSize,
  type ModalityName,
} from "./core.ts";
import type { Environment } from "./environment.ts";
import { spanOf } from "./report.ts";
import { stretch } from "./stretches.ts";

const sizes: readonly string[] = ["frames", "height", "width", "steps"];
const coordinates: readonly string[] = ["frame_index", "row", "column", "step_index", "time"];

export function isMember(modality: ModalityName, name: string): boolean {
  return membersOf[modality].includes(name) || Object.hasOwn(methodsOf[modality], name);
}

/** `video.target`, or inside `video` just `target`; `pass`: the value that this pass has. */
export function member(
  modality: ModalityName,
  name: string,
  span: Span,
  env: Environment,
  pass: string | null = null,
): Core {
  if (!env.modalities.has(modality)) {
    env.report.error("LTX3004", span, `this strategy has no \`${modality}\``, {
      help: `add the section \`${modality}:\` with its \`latents\``,
    });
    return poisoned(span);
  }
  if (sizes.includes(name)) return { op: "size", of: modality, size: name as GridSize, type: hostNumber, span };
  if (coordinates.includes(name)) return coordinate(modality, name as Coordinate, span, env);
  return env.passes.refer(pass, `${modality}.${name}`, span) ?? poisoned(span);
}

function coordinate(modality: ModalityName, name: Coordinate, span: Span | null, env: Environment): Core {
  const needsFps = name === "time" && modality === "video";
  const fps = needsFps ? env.bindings.refer("video.fps", span ?? { start: 0, end: 0 }) : null;
  const sequence = env.sequence === modality;
  const over = sequence ? `sequence:${modality}` : `token:${modality}`;
  const axes = name === "time" && (needsFps || sequence) ? ["batch", over] : [over];
  return { op: "coordinate", modality, coordinate: name, fps, sequence, type: tensor("f32", axes), span };
}

/** `first_frame`, `prefix(n)`, `suffix(n)`, `crop(y1, x1, y2, x2)`, `all`, `sampled()`, `shifted_logit_normal(...)`. */
export function method(modality: ModalityName, call: Call): Core {
  const { name, span, env } = call;
  if (name === "shifted_logit_normal") return shiftedLogitNormal(modality, call);
  const count = methodsOf[modality][name];
  if (count === undefined || !hasArguments(call, count)) return failed(call);
  const place = (of: Coordinate) => coordinate(modality, of, null, env);
  switch (name) {
    case "all":
      return literal(true, span);
    case "first_frame":
      return map(
        env.report,
        "less",
        [place(modality === "video" ? "frame_index" : "step_index"), literal(1)],
        span,
        "`first_frame`",
      );
    case "prefix":
    case "suffix":
    case "crop":
      return stretch(modality, call, place);
    default:
      return sampled(modality, call);
  }
}

function sampled(modality: ModalityName, call: Call): Core {
  const axes = levelAxes(modality, call);
  if (axes === null) return failed(call);
  const { env, span } = call;
  return { op: "sampled", place: env.draws.next(), modality, shifted: null, type: tensor("f32", axes), span };
}

/** A noise level for each sample, or `per` what is written. */
function levelAxes(modality: ModalityName, call: Call): readonly Axis[] | null {
  return drawAxes({ ...call, env: { ...call.env, modality, noiseOf: null } });
}

/** As the run's sampler of this name draws, with parameters of its own; each may be left out. */
function shiftedLogitNormal(modality: ModalityName, call: Call): Core {
  const { env, span, args } = call;
  const names = argumentNames["shifted_logit_normal"] ?? [];
  const unknown = args.find((arg, i) => (arg.name === null ? i >= names.length : !names.includes(arg.name.text)));
  const axes = levelAxes(modality, call);
  if (unknown !== undefined) {
    env.report.error("LTX4003", unknown.name?.span ?? span, `\`shifted_logit_normal\` takes ${names.join(", ")}`, {
      help: "each may be left out: `shifted_logit_normal(std=0.8)`",
    });
    return failed(call);
  }
  const place = env.draws.next();
  const given = (name: string, i: number, otherwise: number): Core => {
    const at = args.findIndex((arg, j) => (arg.name === null ? i === j : arg.name.text === name));
    return at < 0 ? literal(otherwise) : call.value(at);
  };
  const [std, eps, uniformProb] = [given("std", 0, 1), given("eps", 1, 1e-3), given("uniform_prob", 2, 0.1)];
  const parts = [std, eps, uniformProb];
  if (axes === null || parts.some((part) => part.op === "error")) return failed(call);
  const tooLate = parts.find(({ type }) => type.stage !== "host" || type.dtype !== "f32");
  if (tooLate !== undefined) {
    env.report.error("LTX4014", spanOf(tooLate), "the sampler's parameters are numbers known before the run", {
      help: "use numbers and parameters",
    });
    return failed(call);
  }
  return { op: "sampled", place, modality, shifted: { std, eps, uniformProb }, type: tensor("f32", axes), span };
}

/** `sampled()` of the modality at hand, or `video.sampled()`, and the same of the other sampler. */
export function samplerOf(
  value: Expression,
  env: Environment,
): { readonly modality: ModalityName; readonly name: string; readonly args: Call["args"] } | null {
  const isSampler = (name: string) => name === "sampled" || name === "shifted_logit_normal";
  if (value.kind === "call" && isSampler(value.callee.text) && env.modality !== null) {
    return { modality: env.modality, name: value.callee.text, args: value.args };
  }
  if (value.kind !== "member" || value.object.kind !== "name" || !isSampler(value.member.text)) return null;
  const owner = value.object.name;
  if ((owner !== "video" && owner !== "audio") || !env.modalities.has(owner)) return null;
  return { modality: owner, name: value.member.text, args: value.args ?? [] };
}
