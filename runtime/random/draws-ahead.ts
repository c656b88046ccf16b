import type { DrawSource } from "./sampler.ts";

/** The random numbers of a micro-batch of an optimizer step, both counted from 0. */
type DrawsOf = (step: number, microBatch: number) => DrawSource;

interface Request {
  readonly kind: keyof DrawSource;
  readonly name: string;
  readonly count: number;
}

/**
 * The same draws, made beforehand: micro-batches mostly ask for the same, so what one has asked for is drawn for the next one while the
 * device computes. Anything else is drawn when it is asked for.
 * @param microBatches of an optimizer step
 */
export function drawsAhead(draws: DrawsOf, microBatches: number): DrawsOf {
  let ready: { readonly step: number; readonly microBatch: number; readonly values: Map<string, Float32Array> } | null =
    null;
  const prepare = (step: number, microBatch: number, requests: readonly Request[]) => {
    const source = draws(step, microBatch);
    const values = requests.map(
      (request) => [keyOf(request), source[request.kind](request.name, request.count)] as const,
    );
    ready = { step, microBatch, values: new Map(values) };
  };
  return (step, microBatch) => {
    const source = draws(step, microBatch);
    const values = ready?.step === step && ready.microBatch === microBatch ? ready.values : null;
    ready = null;
    const requests: Request[] = [];
    const draw = (request: Request) => {
      requests.push(request);
      return values?.get(keyOf(request)) ?? source[request.kind](request.name, request.count);
    };
    const isLast = microBatch + 1 === microBatches;
    // Behind the forward pass, which runs without a turn of the event loop.
    setImmediate(() => (isLast ? prepare(step + 1, 0, requests) : prepare(step, microBatch + 1, requests))).unref();
    return {
      randn: (name, count) => draw({ kind: "randn", name, count }),
      rand: (name, count) => draw({ kind: "rand", name, count }),
    };
  };
}

const keyOf = ({ kind, name, count }: Request): string => `${kind} ${count} ${name}`;
