/** `mean(video.keep) about 0.1 within 0.02` in `expect`: what a value is on average, over many draws. */
import type { Expected, Expression } from "../1-parse/expression/ast.ts";
import type { Expectation } from "./checked.ts";
import { isMask, map, writtenNumber } from "./combine.ts";
import type { Core } from "./core.ts";
import type { Environment } from "./environment.ts";
import { infer } from "./infer.ts";
import { spanOf } from "./report.ts";
import { isPlain, unitOf, unitWords } from "./units.ts";

type WithShare = Expected & { readonly share: NonNullable<Expected["share"]> };

/** A mask counts as the share of it that is true. */
export function expectedShare({ value, share, span }: WithShare, env: Environment): Expectation[] {
  const core = infer(value, { ...env, countsMasks: true });
  const about = knownNumber(share.about, "about", env);
  const within = share.within === null ? null : knownNumber(share.within, "within", env);
  if (core.op === "error" || about === null || (share.within !== null && within === null)) return [];
  if (!areAlike(core, [about, within], env)) return [];
  const number = isMask(core) ? map(env.report, "float", [core], span, "`about`") : core;
  const written = writtenNumber(about);
  if (isMask(core) && written !== null && (written < 0 || written > 1)) {
    env.report.error("LTX5111", share.about.span, `a share lies in 0 to 1, this is ${written}`, {
      help: "a mask is true in that share of its entries: 10 % are written `about 0.1`",
    });
    return [];
  }
  return [{ core: number, share: { about, within }, span }];
}

/** Whether the numbers count what the value counts; a share and a level are plain numbers. */
function areAlike(core: Core, numbers: readonly (Core | null)[], { report }: Environment): boolean {
  const given = numbers.filter((known) => known !== null);
  const wrong = given.find(({ type }) => type.unit !== undefined);
  if (isMask(core) && wrong?.type.unit !== undefined && wrong.type.unit !== "%") {
    report.error("LTX4054", spanOf(wrong), `a share has no unit, this counts ${unitWords[wrong.type.unit]}`, {
      help: "a mask is true in that share of its entries: 10 % are written `about 0.1`",
    });
    return false;
  }
  if (core.type.unit === undefined && wrong !== undefined && core.type.stage === "device")
    return isPlain(report, wrong, "this average");
  return given.every(
    (known) => unitOf(report, "sub", [core, known], { span: known.span, what: "`about`" }) !== "clash",
  );
}

/** Null where it has a finding. */
function knownNumber(written: Expression, word: "about" | "within", env: Environment): Core | null {
  const core = infer(written, env);
  if (core.op === "error") return null;
  const isKnown = core.type.stage === "host" && !isMask(core);
  const isTooSmall = word === "within" && (writtenNumber(core) ?? 1) <= 0;
  if (isKnown && !isTooSmall) return core;
  const what = isTooSmall ? "is above 0" : "is a number known before the run";
  env.report.error("LTX5111", written.span, `what follows \`${word}\` ${what}`, {
    help: "write a number or a parameter: `mean(video.keep) about 0.1 within 0.02`",
  });
  return null;
}
