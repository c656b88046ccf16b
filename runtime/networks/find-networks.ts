/** Which file each of a strategy's networks has its weights in. */
import { join } from "node:path";
import type { RunConfig } from "../config/run-config.ts";
import type { NetworkInfo } from "../contract.ts";
import { filledIn, isBelow, resolveRoot } from "../data/directories.ts";
import { DATA_ROOT, fail, FindingsError, type Finding } from "../findings.ts";
import { didYouMean } from "../nearest-word.ts";

/** A network with its file. */
export interface FoundNetwork {
  readonly info: NetworkInfo;
  readonly path: string;
  /** The setting that named the file. */
  readonly place: Finding["path"];
}

/**
 * `runtime.networks` wins over what the strategy says; what neither names is in the run's video VAE, or in its checkpoint.
 * Errors: FindingsError LTX6388 (files of networks that there are not), LTX6122 (a path that leaves the data root).
 */
export async function findNetworks(
  infos: readonly NetworkInfo[],
  { model, data, runtime }: RunConfig,
  params: Readonly<Record<string, unknown>>,
): Promise<readonly FoundNetwork[]> {
  checkNames(infos, runtime.networks);
  const root = (await resolveRoot(data.preprocessed_data_root)) ?? data.preprocessed_data_root;
  return infos.map((info): FoundNetwork => {
    // Networks may be called like what objects inherit, such as `toString`.
    const own = Object.hasOwn(runtime.networks, info.name) ? runtime.networks[info.name] : undefined;
    if (own !== undefined) return { info, path: own, place: ["runtime", "networks", info.name] };
    if (info.from !== undefined) return { info, ...below(info.name, info.from, root, params) };
    const { video_vae_path: vae } = model;
    return vae === null
      ? { info, path: model.model_path, place: ["model", "model_path"] }
      : { info, path: vae, place: ["model", "video_vae_path"] };
  });
}

/** Below the data root, as the folders of sources. */
function below(name: string, from: string, root: string, params: Readonly<Record<string, unknown>>) {
  const [, param] = /\$\{(\w+)\}/.exec(from) ?? [];
  const place = param === undefined ? DATA_ROOT : ["training_strategy", param];
  const path = filledIn(from, params);
  if (isBelow(path)) return { path: join(root, path), place };
  const message = `the network \`${name}\`: \`${path}\` is not below the data root`;
  return fail("LTX6122", message, "write a path below the data root, or any path in `runtime.networks`", place);
}

function checkNames(infos: readonly NetworkInfo[], files: RunConfig["runtime"]["networks"]): void {
  const names = infos.map(({ name }) => name);
  const unknown = Object.keys(files).filter((name) => !names.includes(name));
  const findings = unknown.map((name): Finding => {
    const known = names.length === 0 ? "it has none" : `there are: ${names.map((each) => `\`${each}\``).join(", ")}`;
    const message = `the strategy has no network \`${name}\``;
    const help = didYouMean(name, names) ?? known;
    return { code: "LTX6388", severity: "error", path: ["runtime", "networks", name], message, help };
  });
  if (findings.length > 0) throw new FindingsError(findings);
}
