/**
 * Masks that are the same wherever one looks. They are tried on small and large grids; what parameters, data or chance decide counts as
 * unknown, so only what holds for any of them is reported.
 */
import type { Binding } from "../checked.ts";
import type { Coordinate, Core, ModalityName } from "../core.ts";
import { budget, valueAt, type Place } from "../evaluate.ts";
import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";
import { isSameForEveryKey } from "./attention-without-key.ts";

type Bindings = ReadonlyMap<string, Binding>;

type Token = Readonly<Partial<Record<Coordinate, number>>>;

/** Latent frames, height and width; of audio, the first is the number of steps. Small ones first, since most masks fail there. */
const grids: readonly (readonly [number, number, number])[] = [
  [3, 2, 2],
  [200, 2, 2],
  [2, 80, 80],
];

/** `keep` that leaves nothing to generate: always, or at the end of the run. */
export function alwaysKept(contexts: readonly ModalityContext[], bindings: Bindings, report: Report): void {
  for (const { syntax } of contexts) {
    const core = bindings.get(`${syntax.name}.keep`)?.core;
    const span = (syntax.keep ?? syntax.noiseMask)?.span;
    if (core === undefined || span === undefined || !isEverywhere(core, syntax.name, bindings, 1)) continue;
    if (isEverywhere(core, syntax.name, bindings, 0)) {
      report.error("LTX5039", span, "every token is kept clean, so there is nothing to generate", {
        help: `\`keep\` says what is given; to train on all tokens, remove it`,
      });
      continue;
    }
    report.warning("LTX5039", span, "at the end of the run every token is kept clean: nothing is trained there", {
      help: "`progress` goes from 0 to 1: turn it round with `1 - progress`, or end below 1",
    });
  }
}

/** A `keep` that keeps nothing, such as `frame_index == -1`: indices count from 0 and end one below the size. */
export function neverKept(contexts: readonly ModalityContext[], bindings: Bindings, report: Report): void {
  for (const { syntax } of contexts) {
    const core = bindings.get(`${syntax.name}.keep`)?.core;
    if (syntax.keep === null || core === undefined || (core.op === "broadcast" && core.arg.op === "literal")) continue;
    const none: Core = { op: "map", fn: "not", args: [core], type: core.type, span: null };
    if (![0, 0.5, 1].every((progress) => isEverywhere(none, syntax.name, bindings, progress))) continue;
    report.warning("LTX5047", syntax.keep.span, "no token is ever kept by this", {
      help: /\bcrop\b/.test(report.textAt(syntax.keep.span) ?? "")
        ? "the edges of `crop` are top, left, bottom, right, each end behind its start: `crop(25%, 25%, 75%, 75%)`"
        : "indices count from 0: the last frame is `suffix(1lf)`, the first one `first_frame`",
    });
  }
}

/** `keyframes` that marks everything. */
export function keyframesEverywhere(contexts: readonly ModalityContext[], bindings: Bindings, report: Report): void {
  for (const { syntax } of contexts) {
    const core = bindings.get(`${syntax.name}.keyframes`)?.core;
    if (syntax.keyframes === null || core === undefined || !isEverywhere(core, syntax.name, bindings, 1)) continue;
    const message = "all tokens are marked as single pixel frames, but only those of the first latent frame are";
    report.warning("LTX5040", syntax.keyframes.value.span, message, {
      help: "leave `keyframes` out: the first latent frame of target and references is marked",
    });
  }
}

function isEverywhere(core: Core, modality: ModalityName, bindings: Bindings, progress: number): boolean {
  return grids.every((grid) => {
    const at = placesOn(grid, modality, bindings, progress);
    return tokensOf(grid, modality).every((token) => isTrue(valueAt(core, at(token, token))));
  });
}

const isTrue = (value: unknown): boolean => value === true || value === 1;

/** A query that can see no key, such as the first frame under `frame_index > key(frame_index)`. */
export function queryWithoutKey(contexts: readonly ModalityContext[], bindings: Bindings, report: Report): void {
  for (const { syntax } of contexts) {
    const core = bindings.get(`${syntax.name}.attention`)?.core;
    if (syntax.attention === null || core === undefined || isSameForEveryKey(core, syntax.name)) continue;
    const blind = grids.slice(0, 2).map((grid) => blindToken(core, grid, syntax.name, bindings));
    const [first] = blind;
    if (first === undefined || first === null || blind.includes(null)) continue;
    const index = first.frame_index ?? first.step_index ?? 0;
    const whose = `the tokens of ${syntax.name === "video" ? "frame" : "step"} ${index}`;
    report.error("LTX5041", syntax.attention.value.span, `${whose} can look at no token, not even at themselves`, {
      help: "let each token see at least itself, e.g. `frame_index >= key(frame_index)` with `>=` in place of `>`",
    });
  }
}

function blindToken(
  core: Core,
  grid: readonly [number, number, number],
  modality: ModalityName,
  bindings: Bindings,
): Token | null {
  const at = placesOn(grid, modality, bindings, 0.5);
  const tokens = tokensOf(grid, modality);
  const isHidden = (value: unknown) => value === false || value === 0;
  // Of many tokens the first, a middle and the last: each pair of them all would take seconds.
  const queries =
    tokens.length <= 100 ? tokens : [0, 0.5, 1].flatMap((at) => tokens[Math.floor(at * (tokens.length - 1))] ?? []);
  return queries.find((query) => tokens.every((key) => isHidden(valueAt(core, at(query, key))))) ?? null;
}

function placesOn(
  [frames, height, width]: readonly [number, number, number],
  modality: ModalityName,
  bindings: Bindings,
  progress: number,
): (token: Token, key: Token) => Place {
  const sizes: Readonly<Record<string, number>> = modality === "video" ? { frames, height, width } : { steps: frames };
  const left = budget();
  return (token, key) => ({ bindings, given: {}, sizes, token, key, progress, budget: left });
}

function tokensOf(
  [frames, height, width]: readonly [number, number, number],
  modality: ModalityName,
): readonly Token[] {
  const indices = Array.from({ length: frames }, (_, i) => i);
  if (modality === "audio") return indices.map((step_index) => ({ step_index }));
  return indices.flatMap((frame_index) =>
    Array.from({ length: height * width }, (_, i) => ({ frame_index, row: Math.floor(i / width), column: i % width })),
  );
}
