import { textOf } from "../../bin/project/official-step.ts";
import { check } from "../../compiler/index.ts";
import { resolveParams, resolveStrategySection, strategyOf, type StrategyConfig } from "../../runtime/config/index.ts";
import { paramsSchema } from "../../compiler/4-emit/params-schema.ts";
import { referenceFactors, type ReferenceFactors } from "../../runtime/references.ts";
import type { Manifest } from "../case.ts";
import { declared } from "../checks.ts";
import { strategyName } from "../compiled.ts";
import { keys } from "../known.ts";

/** What the reference refuses, or accepts, of strategy configs and of the sizes of references. */
export const replayRefusals = declared(
  {
    manifest: {
      items: keys("name", "what", "config", "raises", "returns", "message", "message_is_reference_text"),
      tolerance: {},
    },
  },
  async ({ manifest }, checks) => {
    for (const item of manifest["items"] as Manifest[]) checks.fail(...(await replayItem(item)));
  },
);

async function replayItem(item: Manifest): Promise<string[]> {
  const { name, what, config, returns } = item;
  const found = what.endsWith("Config") ? await accepts(what, config) : factorOf(what, config);
  const shouldRefuse = isSizeRefused(item);
  if (shouldRefuse !== (found === null)) return [`${name}: should ${shouldRefuse ? "" : "not "}be refused`];
  if (shouldRefuse || typeof returns !== "number" || found === returns) return [];
  return [`${name}: gives ${String(found)} instead of ${returns}`];
}

/** Whether ltxc refuses an item: what the reference refuses, and sizes that do not fit exactly. */
export const isSizeRefused = (item: Manifest): boolean => isRefused(item) || isInexact(item["what"], item["config"]);

/** By the reference, which says so of each item. */
function isRefused({ name, raises }: Manifest): boolean {
  if (raises === undefined) throw new Error(`${name} does not say whether it is refused`);
  return raises !== null;
}

/** Null where the run config is refused. A class takes no name but its own, by which a run config chooses it. */
async function accepts(what: string, config: Manifest): Promise<true | null> {
  const name = strategyName(what);
  if ("name" in config && config["name"] !== name) return null;
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
  if (infer === undefined) throw new Error(`nothing stands for ${what}`);
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
