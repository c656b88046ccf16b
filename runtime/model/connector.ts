import type { HostTensor, Ops, Tensor } from "../contract.ts";
import { attention, feedForward } from "./attention.ts";
import type { ConnectorConfig } from "./connector-config.ts";
import type { Module } from "./module.ts";
import { ropeTables, type RopeTables } from "./rope.ts";

/** Connectors keep these two whatever the transformer's config says. */
const eps = 1e-6;
const theta = 10000;

/** A connector as a function of features `[B, S, C]` in their valid-first order. */
export interface Connector {
  readonly config: ConnectorConfig;
  run(features: Tensor, valid: Tensor, bias: Tensor): Tensor;
}

/** `module` holds the connector's own parameters. */
export function createConnector(module: Module, config: ConnectorConfig): Connector {
  const known = new Map<number, RopeTables>();
  const tables = (tokens: number) => {
    const made = known.get(tokens) ?? connectorRope(config, tokens);
    known.set(tokens, made);
    return made;
  };
  return {
    config,
    run: (features, valid, bias) => {
      const { ops } = module;
      const { cos, sin } = tables(features.shape[1] ?? 0);
      const rope = { cos: ops.constant(cos), sin: ops.constant(sin) };
      // Registers fill the padding, so that there is nothing left to mask.
      return config.registers === null
        ? layers(module, config, features, rope, bias)
        : layers(module, config, withRegisters(module, config.registers, features, valid), rope, null);
    },
  };
}

function layers(
  module: Module,
  { layers, heads }: ConnectorConfig,
  features: Tensor,
  rope: RopeTables<Tensor>,
  bias: Tensor | null,
): Tensor {
  const { ops } = module;
  let h = features;
  for (let j = 0; j < layers; j++) {
    const layer = module.at(`transformer_1d_blocks.${j}.`);
    const x = ops.rmsNorm(h, eps);
    h = ops.add(h, attention(layer.at("attn1."), heads, eps, { x, context: x, rope, bias }));
    h = ops.add(h, feedForward(layer.at("ff."), ops.rmsNorm(h, eps)));
  }
  return ops.rmsNorm(h, eps);
}

/** Row i of the padding becomes register i mod R, counted from the start of the text; whatever stood there is gone. */
function withRegisters({ ops, parameter }: Module, count: number, features: Tensor, valid: Tensor): Tensor {
  const [, tokens = 0, width = 0] = features.shape;
  return ops.where(valid, features, repeatRows(ops, parameter("learnable_registers"), tokens / count, count, width));
}

function repeatRows(ops: Ops, rows: Tensor, times: number, count: number, width: number): Tensor {
  const repeated = ops.broadcastTo(ops.reshape(rows, [1, count, width]), [times, count, width]);
  return ops.reshape(repeated, [1, times * count, width]);
}

/** Positions are the indices themselves; one table for the whole batch. */
function connectorRope({ rope, width, heads, maxPos }: ConnectorConfig, tokens: number): RopeTables {
  const positions: HostTensor = {
    shape: [1, 1, tokens],
    dtype: "float32",
    data: Float32Array.from({ length: tokens }, (_, i) => i),
  };
  return ropeTables({ ...rope, width, heads, maxPos, theta }, positions);
}
