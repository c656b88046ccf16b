import type { Step } from "../../runtime/contract.ts";
import { resolveParams, strategyOf, type RunConfig, type StrategyConfig } from "../../runtime/config/index.ts";
import { createSampler, defaultFlowMatching, openData, type HostSample, type Sampler } from "../../runtime/index.ts";
import { FindingsError, type Finding } from "../../runtime/findings.ts";
import { didYouMean } from "../../compiler/diagnostics/index.ts";
import { UsageError } from "../shell/exit.ts";
import { readRunConfig } from "../shell/files.ts";
import { toDiagnostics } from "../project/findings.ts";
import { printFindings } from "../shell/print-findings.ts";
import { examineRunConfig } from "../project/run-config.ts";
import type { Session } from "../shell/session.ts";
import { completeParams } from "../probe/params.ts";
import { syntheticSamples } from "../probe/synthetic.ts";

/** One sample to look at, with the parameters and the sampler that a run would use for it. */
export interface Chosen {
  readonly samples: readonly [HostSample, ...HostSample[]];
  readonly params: Readonly<Record<string, unknown>>;
  readonly sampler: Sampler;
  /** Which sample it is, for the user. */
  readonly what: string;
}

interface Choice {
  readonly config?: string;
  readonly sample?: string;
  readonly seed: number;
}

/** A sample of the run config's data, or one made for the strategy; null if findings about the config were printed instead. */
export async function chooseSample(session: Session, step: Step, choice: Choice): Promise<Chosen | null> {
  if (choice.config !== undefined) return fromRun(session, step, choice.config, choice.sample);
  if (choice.sample === undefined) return synthetic(step, choice.seed);
  throw new UsageError("`--sample` names a sample of a run's data", "name the run config, too: `--config train.yaml`");
}

/** Large enough to see shapes in, small enough for a terminal. */
const sizes = { frames: 5, height: 8, width: 12, steps: 32 };

function synthetic({ strategy }: Step, seed: number): Chosen {
  const made = { sizes, samples: 1, masks: "box", reference: { space: 1, time: 1 }, seed } as const;
  return {
    samples: syntheticSamples(strategy, made),
    params: completeParams(strategy),
    sampler: createSampler(defaultFlowMatching),
    what: `a made-up sample, seed ${seed}`,
  };
}

async function fromRun(session: Session, step: Step, path: string, name: string | undefined): Promise<Chosen | null> {
  const { io } = session;
  const file = await readRunConfig(io, path, "inspect --config");
  const { strategy } = step;
  const findStep = async (section: StrategyConfig) => {
    const { name: wanted } = strategyOf(section);
    if (wanted === strategy.name) return { step, findings: [] };
    throw new UsageError(
      `${path} trains with \`${wanted}\`, this strategy is \`${strategy.name}\``,
      "name the one that belongs to it",
    );
  };
  const { ready, root, diagnostics } = await examineRunConfig(io, file, findStep, { withFiles: false });
  printFindings(session, [{ file, diagnostics }]);
  if (ready === null || root === null) return null;
  const report = (findings: readonly Finding[]) =>
    printFindings(session, [{ file, diagnostics: toDiagnostics(file, root, findings) }]);
  try {
    return await readChosen(ready.config, step, name, report);
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    report(error.findings);
    return null;
  }
}

async function readChosen(
  config: RunConfig,
  { strategy }: Step,
  name: string | undefined,
  report: (findings: readonly Finding[]) => void,
): Promise<Chosen> {
  const { params, findings } = resolveParams(strategy, strategyOf(config.training_strategy).params);
  if (findings.length > 0) throw new FindingsError(findings);
  const data = await openData(config, strategy, { params, model: null });
  report(data.warnings);
  const { samples } = data.dataset;
  const names = samples.map((each) => each.name.replace(/\.pt$/, ""));
  const sample = samples[name === undefined ? 0 : names.indexOf(name.replace(/\.pt$/, ""))];
  if (sample === undefined) {
    throw new UsageError(
      `there is no sample \`${name}\` in ${data.dataset.root}`,
      didYouMean(name ?? "", names) ?? `there are ${names.length}, the first is \`${names[0]}\``,
    );
  }
  const read = await data.read(sample);
  const lacking = Object.keys(read.sources).filter((role) => read.marks?.[role] === false);
  const without = lacking.map((role) => `\`${role}\``).join(", ");
  return {
    samples: [read],
    params,
    sampler: createSampler(config.flow_matching),
    what: `${sample.name} of ${data.dataset.root}${without === "" ? "" : `, without ${without}: its values are stand-ins that nothing counts`}`,
  };
}
