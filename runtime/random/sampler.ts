/** Where random numbers come from: Philox in a run, recorded ones when a step of the reference is replayed. */
export interface DrawSource {
  /** `count` standard normal numbers. */
  randn(name: string, count: number): Float32Array;
  /** `count` uniform numbers in [0, 1). */
  rand(name: string, count: number): Float32Array;
}

/**
 * Noise levels in [0, 1]: `count` of them under the draw's `name`, for a modality of `tokens` tokens. What a sampler draws itself
 * is named `<name>.normal`, `<name>.uniform` and `<name>.mix`.
 */
export type Sampler = (source: DrawSource, name: string, count: number, tokens: number) => Float32Array;
