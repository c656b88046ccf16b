import type { HostTensor } from "../contract.ts";
import { largest } from "./masks.ts";

/** The order in which text tokens reach the connectors: text first, padding after, each in its own order. */
export interface TextOrder {
  readonly tokens: number;
  /** `[B * S]`: for each new place, the token's old place in its sample. */
  readonly index: Int32Array;
  /** bool `[B, S, 1]` in the new order: true where there is text. */
  readonly valid: HostTensor;
  /** float32 `[B, 1, 1, S]` in the new order: 0 where there is text, else the lowest number. */
  readonly bias: HostTensor;
}

/** Of a mask `[B, S]`, above 0 where there is text. On the host, where masks are read. */
export function validFirst({ shape, data }: HostTensor): TextOrder {
  const [batch = 0, tokens = 0] = shape;
  const index = new Int32Array(batch * tokens);
  const valid = new Uint8Array(batch * tokens);
  for (let sample = 0; sample < batch; sample++) {
    const places = Array.from({ length: tokens }, (_, i) => i);
    const isText = (i: number) => (data[sample * tokens + i] ?? 0) > 0;
    const text = places.filter(isText);
    index.set([...text, ...places.filter((i) => !isText(i))], sample * tokens);
    valid.fill(1, sample * tokens, sample * tokens + text.length);
  }
  return {
    tokens,
    index,
    valid: { shape: [batch, tokens, 1], dtype: "bool", data: valid },
    bias: { shape: [batch, 1, 1, tokens], dtype: "float32", data: Float32Array.from(valid, (v) => (v ? 0 : -largest)) },
  };
}
