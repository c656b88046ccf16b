/** Whether a value fits to a key of a modality: masks and numbers, axes, units. */
import type { ModalitySyntax } from "../1-parse/syntax.ts";
import { familyOf, gridAxes, isJoined } from "./axes.ts";
import { isMask } from "./combine.ts";
import { describe, type Axis, type Core } from "./core.ts";
import type { Environment } from "./environment.ts";
import { spanOf } from "./report.ts";
import { isPlain } from "./units.ts";

/** The modality whose key it is. */
interface Owner {
  readonly syntax: Pick<ModalitySyntax, "name">;
  /** What stands in front of its fields: `video`, of a pass `near.video`. */
  readonly owner: string;
  readonly env: Environment;
}

/** Keys that take a mask; `attention` takes weights, too. */
const maskKeys = new Set(["keep", "noise_mask", "keyframes"]);

/** Whether a value can be laid over `axes`: its axes are among them or on the modality's grid. Reports the one that is not. */
export function fits({ syntax, owner, env }: Owner, key: string, core: Core, axes: readonly Axis[]): boolean {
  if (core.op === "error" || !isPlain(env.report, core, `\`${key}\``)) return false;
  const { name } = syntax;
  if (key !== "attention" && isMask(core) !== maskKeys.has(key)) {
    if (isMask(core)) env.report.notANumber(core, `\`${key}\``);
    else env.report.notAMask(core, `\`${key}\``);
    return false;
  }
  const family = familyOf(core.type.axes);
  if (family !== null && family !== name) {
    const other = family === "video" || family === "audio" ? `${family} tokens` : `tokens of \`${family}\``;
    const article = name === "video" ? "a video" : "an audio";
    env.report.error("LTX4007", spanOf(core), `\`${owner}.${key}\` runs over ${name} tokens, this over ${other}`, {
      labels: [env.report.originOf(core, family)],
      help: `${name} tokens need ${article} mask, e.g. a source of kind \`${name}_mask\``,
    });
    return false;
  }
  const own = [...axes, ...gridAxes[name], `token:${name}`];
  const foreign = core.type.axes.find((axis) => !own.includes(axis));
  if (foreign === undefined) return true;
  const wanted = axes.map((axis) => `\`${axis}\``).join(", ");
  env.report.error(
    "LTX4015",
    spanOf(core),
    `\`${owner}.${key}\` runs over ${wanted}; this has the axis \`${foreign}\`, too: ${describe(core.type)}`,
    {
      help: isJoined(foreign)
        ? "`concat` makes an axis twice as long; a sequence in front of the target's tokens is an entry of `references`"
        : reductionOf(core, foreign, env),
    },
  );
  return false;
}

/** A mask is made of numbers that are reduced before they are compared. */
function reductionOf(core: Core, axis: Axis, { report, declarations }: Environment): string {
  if (!isMask(core)) return `reduce it first, e.g. \`mean(x, axis=${axis})\``;
  const inner = core.op === "map" && core.fn === "not" ? core.args[0] : core;
  const declared = inner?.op === "ref" ? declarations.byName.get(inner.key) : undefined;
  const compared = declared?.kind === "let" ? declared.syntax.value : null;
  const [left, all] =
    compared?.kind === "binary" ? [report.textAt(compared.left.span), report.textAt(compared.span)] : [];
  if (declared === undefined || compared?.kind !== "binary" || !left || !all)
    return `reduce the numbers before they are compared, e.g. \`mean(x, axis=${axis}) > 0.5\`, or the mask: \`any(m, axis=${axis})\``;
  const tokens = compared.left.kind === "name" ? `tokens(${left})` : left;
  return `reduce the numbers before they are compared: \`${declared.name.text}: mean(${tokens}, axis=${axis})${all.slice(left.length)}\``;
}
