import type { HostTensor, Ops, Tensor } from "../contract.ts";
import type { StreamName, TransformerConfig } from "./config.ts";
import { ropeTables, type RopeSpec, type RopeTables } from "./rope.ts";

/** Rotary tables of a transformer, kept as long as the positions that they were made from. */
export interface RopeCache {
  /** For self-attention: all axes of the positions. */
  self(ops: Ops, stream: StreamName, positions: HostTensor): RopeTables<Tensor>;
  /** For cross-modal attention: time alone, at the audio stream's width, so that both streams share a scale. */
  cross(ops: Ops, stream: StreamName, positions: HostTensor): RopeTables<Tensor>;
}

export function createRopeCache(config: TransformerConfig): RopeCache {
  const known = new WeakMap<HostTensor, Map<string, RopeTables>>();
  const tables = (ops: Ops, name: string, positions: HostTensor, make: () => RopeTables) => {
    const made = known.get(positions) ?? new Map<string, RopeTables>();
    known.set(positions, made);
    const { cos, sin } = made.get(name) ?? make();
    made.set(name, { cos, sin });
    // Positions depend on the frame rate, which may change from step to step.
    return { cos: ops.input(`model.${name}.cos`, cos), sin: ops.input(`model.${name}.sin`, sin) };
  };
  return {
    self: (ops, stream, positions) =>
      tables(ops, `${stream}.rope`, positions, () => ropeTables(selfSpec(config, stream), positions)),
    cross: (ops, stream, positions) =>
      tables(ops, `${stream}.cross_rope`, positions, () => ropeTables(crossSpec(config), timeAxis(positions))),
  };
}

function selfSpec(config: TransformerConfig, stream: StreamName): RopeSpec {
  const { width, heads, maxPos } = streamOf(config, stream);
  return { ...config.rope, theta: config.theta, width, heads, maxPos };
}

function crossSpec(config: TransformerConfig): RopeSpec {
  const [video, audio] = [streamOf(config, "video"), streamOf(config, "audio")];
  const width = config.cross?.ropeWidth ?? audio.width;
  const maxPos = [Math.max(video.maxPos[0] ?? 0, audio.maxPos[0] ?? 0)];
  return { ...config.rope, theta: config.theta, width, heads: audio.heads, maxPos };
}

function streamOf(config: TransformerConfig, stream: StreamName) {
  const found = config[stream];
  if (found === null) throw new Error(`the model has no ${stream} stream`);
  return found;
}

/** The first position axis of `[B, P, T, 2]` as `[B, 1, T, 2]`. */
function timeAxis({ shape, data }: HostTensor): HostTensor {
  const [batch = 0, axes = 1, tokens = 0] = shape;
  const size = tokens * 2;
  const time = Float32Array.from({ length: batch * size }, (_, i) => {
    const sample = Math.floor(i / size);
    return data[sample * axes * size + (i % size)] ?? 0;
  });
  return { shape: [batch, 1, tokens, 2], dtype: "float32", data: time };
}
