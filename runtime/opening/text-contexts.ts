import { totalmem } from "node:os";
import type { HostTensor, Tensor } from "../contract.ts";
import type { HostBatch, HostTextBatch, TextContext } from "../data/batch.ts";
import type { Engine } from "../engine/engine.ts";
import type { EmbeddingsProcessor } from "../model/embeddings.ts";
import { createLru } from "../lru.ts";

/** What the connectors make of captions. They are never trained, so it is computed once for a sample and kept for the next epochs. */
export interface TextContexts {
  /** Of a batch's text features, by role; they are there until `release`. Errors: those of `EmbeddingsProcessor.run`. */
  of(batch: HostBatch): { readonly contexts: Readonly<Record<string, TextContext>>; release(): void };
  dispose(): void;
}

interface ContextOptions {
  /** Bytes of contexts that are kept. */
  readonly mostBytes?: number;
  /** Roles of sources whose text is the same for all samples. */
  readonly shared?: ReadonlySet<string>;
}

/** Bytes of contexts that are kept: a sixteenth of the machine's memory. */
export const mostContextBytes = (): number => totalmem() / 16;

export function createTextContexts(
  engine: Engine,
  embeddings: EmbeddingsProcessor,
  { mostBytes = mostContextBytes(), shared = new Set() }: ContextOptions = {},
): TextContexts {
  const known = new Map<string, TextContext>();
  const forget = (key: string) => {
    engine.dispose(...tensorsOf(known.get(key)));
    known.delete(key);
  };
  const lru = createLru<string>(mostBytes, forget);

  /** Samples are computed one by one, so that nothing depends on which of them are known already. */
  function ofSample(key: string, features: HostTextBatch): TextContext {
    const found = known.get(key);
    if (found !== undefined) {
      lru.used(key);
      return found;
    }
    const made = engine.tidy(() => embeddings.run(features));
    known.set(key, made);
    const bytes = tensorsOf(made).reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
    lru.add(key, bytes);
    return made;
  }

  /** Stand-ins of samples that lack a text are all one. */
  function ofSource(role: string, { names, marks }: HostBatch, features: HostTextBatch): Made {
    const isThere = (i: number): boolean => marks?.[role]?.[i] !== false;
    const each = names.map((name, i) =>
      ofSample(shared.has(role) ? role : `${role}/${isThere(i) ? name : ""}`, sampleOf(features, i)),
    );
    const [only] = each;
    if (only !== undefined && each.length === 1) return { context: only, own: [] };
    const context = joined(engine, each);
    return { context, own: tensorsOf(context) };
  }

  return {
    of(batch) {
      const made = Object.entries(batch.sources).flatMap(([role, source]) =>
        source.kind === "text_embeddings" ? [[role, ofSource(role, batch, source)] as const] : [],
      );
      return {
        contexts: Object.fromEntries(made.map(([role, { context }]) => [role, context])),
        release() {
          for (const [, { own }] of made) engine.dispose(...own);
          lru.trim();
        },
      };
    },
    dispose() {
      for (const key of known.keys()) forget(key);
    },
  };
}

/** The context of a batch, and those of its tensors that are not a sample's own. */
interface Made {
  readonly context: TextContext;
  readonly own: readonly Tensor[];
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function tensorsOf(context: TextContext | undefined): Tensor[] {
  return [context?.video, context?.audio, context?.mask].filter((x) => x !== undefined && x !== null);
}

/** The i-th sample of a batch, as a batch of its own. */
function sampleOf({ kind, video, audio, mask }: HostTextBatch, i: number): HostTextBatch {
  const part = ({ shape: [, ...rest], dtype, data }: HostTensor): HostTensor => {
    const size = sizeOf(rest);
    return { shape: [1, ...rest], dtype, data: data.subarray(i * size, (i + 1) * size) };
  };
  return { kind, video: part(video), audio: audio === null ? null : part(audio), mask: part(mask) };
}

/** All samples of a batch have audio features, or none has. */
function joined({ tidy, ops }: Engine, each: readonly TextContext[]): TextContext {
  const join = (parts: readonly Tensor[]) => ops.concat(parts, 0);
  const audio = each.flatMap((context) => context.audio ?? []);
  return tidy(() => ({
    video: join(each.map(({ video }) => video)),
    audio: audio.length === 0 ? null : join(audio),
    mask: join(each.map(({ mask }) => mask)),
  }));
}
