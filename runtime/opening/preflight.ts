import { beginningWarnings } from "../checkpoints/beginning.ts";
import {
  checkResume,
  checkState,
  checkStepsLeft,
  curveWarnings,
  resumePointOf,
  runIdOf,
} from "../checkpoints/resume.ts";
import { loraOf } from "../config/index.ts";
import type { RunConfig } from "../config/run-config.ts";
import { resolveParams, strategyOf } from "../config/strategy.ts";
import type { Step, StrategyInfo } from "../contract.ts";
import { contentsOf } from "../data/contents.ts";
import { failWithoutRoot } from "../data/data-root.ts";
import { resolveRoot } from "../data/directories.ts";
import type { Sample } from "../data/dataset.ts";
import { FindingsError, together, type Finding } from "../findings.ts";
import { lookAtBase } from "../model/base-file.ts";
import type { ExaminedModel } from "../model/checkpoint.ts";
import { outputsWith } from "../model/outputs.ts";
import { lockWarning } from "../run-folder/lock.ts";
import { removalOf, type Removal } from "../run-folder/overwrite.ts";
import { startingOfficial } from "../run-folder/starting-official.ts";
import { startingOver } from "../run-folder/starting.ts";
import { fingerprintOf, type Fingerprint } from "../training/fingerprint.ts";
import { checkFp8 } from "./check-fp8.ts";
import { checkFiles, checkOthers, checkOutput, isFile } from "./checks.ts";
import { checkHoles } from "./check-holes.ts";
import { checkNetworks } from "../networks/examine-networks.ts";
import { findNetworks, type FoundNetwork } from "../networks/find-networks.ts";
import { checkpointHash } from "../model/checkpoint-hash.ts";
import { checkWeights } from "./check-weights.ts";
import { drawnContents } from "./drawn-files.ts";
import { openData } from "./open-data.ts";
import { checkModel } from "./open-model.ts";
import { checkSamples } from "./open-samples.ts";
import { checkTrained, ownNames } from "./trained-names.ts";

/** What the checks before a run found; `openExamined` opens the run with it. */
export type Preflight = Awaited<ReturnType<typeof preflight>>;

interface PreflightOptions {
  /** What to do about the work of an earlier run in `output_dir`: say it, refuse to begin anew, or delete it before the training. */
  readonly onWork?: "warn" | "refuse" | "overwrite";
  /** Whether the official trainer trains, which can go on with other work than ltxc itself. */
  readonly isOfficial?: boolean;
  /** Whether settings are wrong and their defaults stand for them: then what has changed since an earlier run is not known. */
  readonly isProvisional?: boolean;
  /** Also looks into files that the run reads later, and finds what it would stop at then. */
  readonly isThorough?: boolean;
}

/**
 * Checks everything that a run needs and that can be checked without loading the model, all at once.
 * @throws FindingsError with every mistake found
 */
export async function preflight(
  config: RunConfig,
  { strategy: written }: Step,
  { onWork = "warn", isOfficial = false, isThorough = false, isProvisional = false }: PreflightOptions = {},
) {
  const { model } = config;
  const { params, findings } = resolveParams(written, strategyOf(config.training_strategy).params);
  const strategy = outputsWith(written, params);
  const { data, networks, examined, ofLoaded, ofChecks } = await checkAll(config, strategy, {
    params,
    ofParams: findings,
    isOfficial,
    isThorough,
  });
  const { dataset, heldOut } = data;
  const { samples: chosen } = dataset;
  const samples = chosen.map(({ name }) => name);
  const base = await lookAtBase(model.model_path);
  // A run's own fingerprint tells what is in the data files, too; that reads of every file.
  const isCompared = (onWork !== "warn" && !isOfficial) || (isThorough && model.load_checkpoint !== null);
  const contents = isCompared
    ? { contents: await contentsOf(chosen), ...(await heldOutOf(heldOut)), drawn: await drawnContents(config) }
    : {};
  const fingerprint = fingerprintOf({
    config,
    strategy,
    params,
    samples,
    baseModel: base.hash,
    isFp8: examined?.isFp8 ?? false,
    networks: await hashesOf(networks),
    ...contents,
  });
  await checkResume(config, fingerprint, (role, sample) => fileOf(chosen[sample], role));
  if (!isOfficial) await checkState(config, isThorough);
  const { id, removal, ofFolder } = await folderOf(config, fingerprint, { onWork, isOfficial, isProvisional });
  const later = isThorough ? await foreseen(config, strategy, ofFolder, isOfficial) : nothingLater;
  return {
    params,
    data,
    networks,
    fingerprint,
    base,
    id,
    removal,
    model: examined,
    warnings: [...data.warnings, ...ofChecks, ...(examined?.warnings ?? []), ...ofFolder, ...later.ofLock],
    /** Warnings about the weights to begin with; the run gives them itself when it has loaded them. */
    ofLoaded: [...ofLoaded, ...later.ofBeginning],
  };
}

interface Checking {
  readonly params: Readonly<Record<string, unknown>>;
  /** What is wrong with them. */
  readonly ofParams: readonly Finding[];
  readonly isOfficial: boolean;
  readonly isThorough: boolean;
}

/** Looks at all files and settings. Throws FindingsError with every mistake found. */
async function checkAll(
  config: RunConfig,
  strategy: StrategyInfo,
  { params, ofParams, isOfficial, isThorough }: Checking,
) {
  const { model } = config;
  let examined: ExaminedModel | null = null;
  let networks: readonly FoundNetwork[] = [];
  const [ofLoaded, ofChecks]: [Finding[], Finding[]] = [[], []];
  const [, data] = await together([
    async () => {
      // `checkFiles` says where it is no file.
      if (!(await isFile(model.model_path))) return;
      examined = await checkModel(strategy, model, loraOf(config));
      examined = checkFp8(config, examined);
    },
    () => openData(config, strategy, { params, model: examined, isThorough }),
    async () => examined && ofChecks.push(...(await checkSamples(config, strategy, examined))),
    async () => examined && ofChecks.push(...(await checkHoles(model.model_path))),
    async () => examined && ofLoaded.push(...(await checkWeights(config, examined))),
    () => ofChecks.push(...checkOthers(config, strategy)),
    async () => {
      networks = await findNetworks(strategy.networks ?? [], config, params);
      if (examined !== null) await checkNetworks(networks, examined.config);
    },
    () => checkTrained(config, strategy, examined),
    () => checkFiles(config),
    () => checkOutput(config, !isOfficial),
    () => {
      if (ofParams.length > 0) throw new FindingsError(ofParams);
    },
  ]);
  return { data, networks, examined: examined as ExaminedModel | null, ofLoaded, ofChecks };
}

async function hashesOf(networks: readonly FoundNetwork[]): Promise<Readonly<Record<string, string>>> {
  const entries = networks.map(async ({ info, path }) => [info.name, await checkpointHash(path)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

const nothingLater = { ofLock: [], ofBeginning: [] };

/** What a run meets when it locks its folder and loads its weights. */
async function foreseen(
  config: RunConfig,
  strategy: StrategyInfo,
  ofFolder: readonly Finding[],
  isOfficial: boolean,
): Promise<{ readonly ofLock: readonly Finding[]; readonly ofBeginning: readonly Finding[] }> {
  const lock = await lockWarning(config.output_dir, { isOfficial });
  // Such weights are not loaded: the run is refused.
  const isRefused = ofFolder.some(({ code }) => code === "LTX6344");
  const ofBeginning = isOfficial || isRefused ? [] : await beginningWarnings(config, ownNames(strategy));
  return { ofLock: lock === null ? [] : [lock], ofBeginning };
}

/** Of the same checks those that need no strategy. @throws FindingsError with every mistake found */
export async function checkPlaces(config: RunConfig, isOfficial: boolean): Promise<void> {
  await together([
    async () => {
      const { preprocessed_data_root: root } = config.data;
      if ((await resolveRoot(root)) === null) await failWithoutRoot(root);
    },
    () => checkFiles(config),
    () => checkOutput(config, !isOfficial),
  ]);
}

interface Folder {
  /** The run's id. */
  readonly id: string;
  /** What is to be deleted before the training. */
  readonly removal: Removal | null;
  readonly ofFolder: readonly Finding[];
}

async function folderOf(
  config: RunConfig,
  fingerprint: Fingerprint,
  { onWork, isOfficial, isProvisional }: Required<Pick<PreflightOptions, "onWork" | "isOfficial" | "isProvisional">>,
): Promise<Folder> {
  const point = await resumePointOf(config, fingerprint);
  if (point !== null) checkStepsLeft(config, point.step);
  const id = runIdOf(config, fingerprint, point);
  if (onWork === "overwrite") return { id, removal: await removalOf(config), ofFolder: [] };
  const found = await (isOfficial
    ? startingOfficial(config)
    : startingOver(config, isProvisional ? null : fingerprint, point));
  if (found !== null && onWork === "refuse") throw new FindingsError([found]);
  const ofWork: readonly Finding[] = found === null ? [] : [{ ...found, severity: "warning" }];
  return { id, removal: null, ofFolder: [...ofWork, ...curveWarnings(point)] };
}

function fileOf(sample: Sample | undefined, role: string): string {
  return sample?.files[role] ?? `\`${role}\` of ${sample?.name}, which has none now`;
}

async function heldOutOf(samples: readonly Sample[]) {
  if (samples.length === 0) return {};
  return { heldOut: { names: samples.map(({ name }) => name), contents: await contentsOf(samples) } };
}
