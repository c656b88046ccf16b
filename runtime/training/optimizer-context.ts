import { createAdamW8bit } from "../optimizer/adamw-8bit.ts";
import { createAdamW } from "../optimizer/adamw.ts";
import type { Optimizer } from "../optimizer/optimizer.ts";
import type { OptimizerContext } from "./optimizer-step.ts";
import type { Run } from "./run-inputs.ts";
import { createSampler } from "../random/samplers.ts";

/** The optimizer that the run config asks for. */
export function createOptimizer({ config, engine, trainable }: Run): Optimizer {
  const create = config.optimization.optimizer_type === "adamw8bit" ? createAdamW8bit : createAdamW;
  return create(engine, trainable.names.length);
}

/** What stays the same from optimizer step to optimizer step. */
export function contextOf(run: Run, optimizer: Optimizer): OptimizerContext {
  const { engine, step, params, model, positions, scaleFactors, trainable, config } = run;
  const sampler = createSampler(config.flow_matching);
  return {
    engine,
    forward: { ops: engine.ops, step, params, model, sampler, positions, scaleFactors },
    trainable,
    optimizer,
    dropout: config.lora?.dropout ?? 0,
    maxGradNorm: config.optimization.max_grad_norm,
  };
}
