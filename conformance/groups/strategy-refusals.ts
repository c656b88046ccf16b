import { textOf } from "../../bin/project/official-step.ts";
import { check } from "../../compiler/index.ts";
import { resolveParams, resolveStrategySection, strategyOf, type StrategyConfig } from "../../runtime/config/index.ts";
import { paramsSchema } from "../../compiler/4-emit/params-schema.ts";
import { referenceFactors, type ReferenceFactors } from "../../runtime/references.ts";
import { Unsupported, type Manifest } from "../case.ts";
import { strategyNames } from "../compiled.ts";

/** What the reference refuses, or accepts, of strategy configs and of the sizes of references. */
export async function replayRefusals({ items }: Manifest): Promise<string[]> {
  const reasons = await Promise.all((items as Manifest[]).map(replayItem));
  return reasons.flat();
}

async function replayItem(item: Manifest): Promise<string[]> {
  const { name, what, config, returns } = item;
  const found = what.endsWith("Config") ? await accepts(what, config) : factorOf(what, config);
  const shouldRefuse = item["raises"] !== null || isInexact(what, config);
  if (shouldRefuse !== (found === null)) return [`${name}: should ${shouldRefuse ? "" : "not "}be refused`];
  if (shouldRefuse || typeof returns !== "number" || found === returns) return [];
  return [`${name}: gives ${String(found)} instead of ${returns}`];
}

/** Null where the run config is refused. */
async function accepts(what: string, config: Manifest): Promise<true | null> {
  const name = strategyNames[what.replace(/Config$/, "")];
  if (name === undefined) throw new Unsupported(`nothing stands for ${what}`);
  const { section } = resolveStrategySection({ training_strategy: { ...config, name } });
  return section !== null && (await hasRightParams(section)) ? true : null;
}

async function hasRightParams(section: StrategyConfig): Promise<boolean> {
  const { name, params } = strategyOf(section);
  const { program } = check({ path: `${name}.strategy`, text: (await textOf(section)) ?? "" });
  if (program === null) return false;
  return resolveParams({ name, params: paramsSchema(name, program.params) }, params).findings.length === 0;
}

/** The factor that the method of the reference infers, from `[height, width]` or from frames; null where it is refused. */
function factorOf(what: string, { target, ref, target_frames, ref_frames }: Manifest): number | null {
  const factor = what.split(".")[1] as keyof typeof inferred;
  const infer = inferred[factor];
  if (infer === undefined) throw new Unsupported(`nothing stands for ${what}`);
  const grid = ([height, width]: readonly number[] = [1, 1], frames = 1) => ({
    frames,
    height: height ?? 0,
    width: width ?? 0,
  });
  const factors = referenceFactors(grid(target, target_frames), grid(ref, ref_frames));
  return factors === null ? null : infer(factors);
}

const inferred = {
  _infer_reference_downscale_factor: ({ space }: ReferenceFactors) => space,
  _infer_scale_factor: ({ space }: ReferenceFactors) => space,
  _infer_temporal_scale_factor: ({ time }: ReferenceFactors) => time,
};

/** The reference rounds such a factor down and trains on; here sizes that do not fit are refused. */
function isInexact(what: string, { target, ref }: Manifest): boolean {
  if (!what.endsWith("._infer_scale_factor")) return false;
  return (target as number[]).some((size, i) => size % ((ref as number[])[i] ?? 1) !== 0);
}
