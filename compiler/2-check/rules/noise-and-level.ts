/** Noise that is not what flow matching takes for noise, and a noise level that is the share of data. */
import type { Expression } from "../../1-parse/expression/ast.ts";
import type { Binding } from "../checked.ts";
import type { Core, ModalityName } from "../core.ts";
import { gridAxes } from "../axes.ts";
import { allNodes, behind } from "../dependencies.ts";
import type { ModalityContext } from "../modality.ts";
import type { Report } from "../report.ts";

type Bindings = ReadonlyMap<string, Binding>;

/** Noise, and noisy tokens, that are the same for all tokens or all channels: most often a draw in `let`, which has one number for each sample. */
export function noiseForEachElement(contexts: readonly ModalityContext[], bindings: Bindings, report: Report): void {
  for (const { syntax } of contexts) {
    const { name } = syntax;
    for (const field of ["noise", "noisy"] as const) {
      const entry = syntax[field];
      const core = bindings.get(`${name}.${field}`)?.core;
      if (entry === null || core === undefined) continue;
      const missing = missingAxes(core, name);
      if (missing === null) continue;
      const drawn = [...allNodes(core, bindings)].find(
        (node) => node.op === "draw" && node.span !== null && missingAxes(node, name) !== null,
      );
      const labels = drawn?.span ? [{ span: drawn.span, message: "this draws too few numbers" }] : [];
      report.error("LTX5032", entry.value.span, `\`${name}.${field}\` is the same for every ${missing}`, {
        labels,
        help:
          drawn === undefined
            ? `every token and channel has a value of its own, as in \`randn()\` under \`${name}:\``
            : `draw a number for each element: \`randn() per (token:${name}, channel)\``,
      });
    }
  }
}

/** What a value lacks of tokens and channels. A `where` over kept tokens that the compiler adds is looked through. */
function missingAxes(core: Core, modality: ModalityName): "token" | "channel" | "token and channel" | null {
  const written = core.op === "broadcast" ? core.arg : core;
  const inner = written.op === "tokens" ? written.arg : written;
  const { axes } = inner.type;
  const tokens = axes.includes(`token:${modality}`) || gridAxes[modality].every((axis) => axes.includes(axis));
  const channels = axes.includes("channel");
  if (tokens && channels) return null;
  return tokens ? "channel" : channels ? "token" : "token and channel";
}

/** `uniform(…)` in place of `randn()`. Uniform numbers that a function turns into others, such as by Box and Muller, are not judged. */
export function noiseIsNormal(contexts: readonly ModalityContext[], bindings: Bindings, report: Report): void {
  for (const { syntax } of contexts) {
    const core = bindings.get(`${syntax.name}.noise`)?.core;
    if (syntax.noise === null || core === undefined) continue;
    const nodes = [...allNodes(core, bindings)];
    const uniform = nodes.find(
      (node) => node.op === "draw" && node.fn === "rand" && node.type.axes.includes("channel"),
    );
    const others = nodes.some((node) => {
      const isTransformed = node.op === "map" && !["add", "sub", "mul", "div", "neg"].includes(node.fn);
      return (
        isTransformed || node.op === "source" || node.op === "import" || (node.op === "draw" && node.fn === "randn")
      );
    });
    if (uniform?.span == null || others) continue;
    report.warning("LTX5033", uniform.span, "the noise is uniform; sampling starts from normal noise", {
      help: "write `randn()`: normal numbers of mean 0 and deviation 1",
    });
  }
}

/** `sigma: uniform(0, 1000)`: levels as other trainers number their steps. */
export function levelBounds({ syntax }: Pick<ModalityContext, "syntax">, report: Report): void {
  if (syntax.sigma === null) return;
  const { value } = syntax.sigma;
  const draw = value.kind === "per" ? value.value : value;
  if (draw.kind !== "call" || draw.callee.text !== "uniform") return;
  // A share in percent is reported where it stands.
  if (draw.args.some(({ value }) => value.kind === "number" && value.unit !== undefined)) return;
  const ends = draw.args.map((arg) => numberIn(arg.value));
  const outside = ends.find((end) => end !== null && (end < 0 || end > 1));
  if (outside === undefined) return;
  report.error("LTX5017", draw.span, `\`sigma\` lies between 0 and 1, an end of this draw is ${outside}`, {
    help: "0 is clean and 1 is pure noise: write `uniform(0, 1)`, or other numbers between them",
  });
}

function numberIn(value: Expression): number | null {
  if (value.kind === "negate") return value.operand.kind === "number" ? -value.operand.value : null;
  return value.kind === "number" ? value.value : null;
}

/** `1 - sampled()`: sigma is the share of noise, and the run's sampler draws it as such. */
export function levelOfNoise(contexts: readonly ModalityContext[], bindings: Bindings, report: Report): void {
  for (const { syntax } of contexts) {
    const core = bindings.get(`${syntax.name}.sigma`)?.core;
    if (syntax.sigma === null || core === undefined) continue;
    const value = behind(core, bindings);
    const [one, level] = value.op === "map" && value.fn === "sub" ? value.args : [];
    if (one?.op !== "literal" || Number(one.value) !== 1 || level === undefined) continue;
    const drawn = behind(level, bindings);
    if (drawn.op !== "sampled") continue;
    const text = report.textAt(level.span);
    report.warning("LTX5034", syntax.sigma.value.span, "`sigma` is the share of noise, this is the share of data", {
      help: `1 is pure noise, and the sampler draws sigma itself: write \`${text ?? "sampled()"}\``,
    });
  }
}
