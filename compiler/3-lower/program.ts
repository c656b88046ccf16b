/** A strategy as two straight-line programs: what happens before the model runs, and what after. */
import type {
  CheckedDataset,
  CheckedFunction,
  CheckedImport,
  CheckedLoss,
  CheckedMetadata,
  CheckedModality,
  CheckedNetwork,
  CheckedOutput,
  CheckedParam,
  CheckedPass,
  CheckedSource,
  CheckedWeight,
} from "../2-check/checked.ts";
import type { Core, Type } from "../2-check/core.ts";
import type { Span } from "../source/span.ts";

/** `key = core`; keys as in the check phase, and `source.<name>` for a source that the loss reads. */
export interface Statement {
  readonly key: string;
  readonly core: Core;
  readonly span: Span | null;
}

/** A value that a probe shows. */
export interface ProbedValue {
  /** `inpaint`, `video.keep`, `source.<name>`, `expect[0]`, `weight.<term>`; `share[0]`, `share[0].about` and `share[0].within` of what is expected on average. */
  readonly key: string;
  readonly type: Type;
  /** Keys of the values that it is made of, as far as they are shown, too. */
  readonly reads: readonly string[];
  /** Of what was written for it, null for a default. */
  readonly span: Span | null;
}

/** What builds for looking inside calculate beside: every named value, what the strategy expects, and the losses' weights. */
export interface Probe {
  /** Like those of `loss`, and more of them. */
  readonly statements: readonly Statement[];
  /** `let` bindings, then those of video and audio, then expectations and weights. */
  readonly values: readonly ProbedValue[];
}

export interface Program {
  readonly name: string;
  readonly description: string;
  readonly language: number;
  readonly params: readonly CheckedParam[];
  readonly sources: readonly CheckedSource[];
  readonly datasets: readonly CheckedDataset[];
  readonly modalities: readonly CheckedModality[];
  /** Other calls of the model that the step needs, each after those whose predictions it is given. */
  readonly passes: readonly CheckedPass[];
  /** Each statement after those that it refers to. */
  readonly prepare: readonly Statement[];
  /** The same, with what depends on the prediction. */
  readonly loss: readonly Statement[];
  /** Keys of `prepare` that `loss` or the probe needs. */
  readonly values: readonly string[];
  readonly terms: readonly CheckedLoss[];
  /** How many samples a batch has at least. */
  readonly smallestBatch: 1 | 2;
  /** Terms whose statement `overlap.<term>` says where they cover kept tokens. */
  readonly undecided: readonly string[];
  readonly outputs: readonly CheckedOutput[];
  readonly weights: readonly CheckedWeight[];
  readonly networks: readonly CheckedNetwork[];
  readonly imports: readonly CheckedImport[];
  /** Bindings of `let` with arguments that are used. */
  readonly functions: readonly CheckedFunction[];
  readonly metadata: {
    readonly entries: readonly CheckedMetadata[];
    /** Numbers that the entries refer to, each after those that it needs. */
    readonly statements: readonly Statement[];
  };
  /** How many lines `expect` has; what they say is in the probe. */
  readonly expected: number;
  /** Null in a normal build. */
  readonly probe: Probe | null;
}
