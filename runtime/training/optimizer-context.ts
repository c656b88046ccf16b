import { createAdamW8bit } from "../optimizer/adamw-8bit.ts";
import { createAdamW } from "../optimizer/adamw.ts";
import { decaysOf } from "../optimizer/groups.ts";
import { createLion, type LionParams } from "../optimizer/lion.ts";
import { createProdigy, type ProdigyParams } from "../optimizer/prodigy.ts";
import type { Optimizer } from "../optimizer/optimizer.ts";
import type { OptimizerContext } from "./optimizer-step.ts";
import type { Run } from "./run-inputs.ts";
import { createSampler } from "../random/samplers.ts";

/** The optimizer that the run config asks for. */
export function createOptimizer({ config, engine, trainable }: Run): Optimizer {
  const { names } = trainable;
  const { optimizer, optimizer_params: params } = config.runtime.optimization;
  const decays = decaysOf(config, names);
  // The run config is resolved: the params are complete, and those of this optimizer.
  if (optimizer === "lion") return createLion(engine, decays, params as unknown as LionParams);
  if (optimizer === "prodigy") return createProdigy(engine, decays, params as unknown as ProdigyParams);
  const create = config.optimization.optimizer_type === "adamw8bit" ? createAdamW8bit : createAdamW;
  return create(engine, names.length, decays);
}

/** What stays the same from optimizer step to optimizer step. */
export function contextOf(run: Run, optimizer: Optimizer): OptimizerContext {
  const { engine, step, params, model, positions, scaleFactors, trainable, weight, network, config } = run;
  const { ema_decay: decay } = config.runtime.optimization;
  const sampler = createSampler(config.flow_matching);
  const own = { ...(weight === undefined ? {} : { weight }), ...(network === undefined ? {} : { network }) };
  return {
    engine,
    forward: { ops: engine.ops, step, params, model, sampler, positions, scaleFactors, ...own },
    trainable,
    optimizer,
    ...(run.ema === null || decay === null ? {} : { ema: { averages: run.ema, decay } }),
    dropout: config.lora?.dropout ?? 0,
    maxGradNorm: config.optimization.max_grad_norm,
  };
}
