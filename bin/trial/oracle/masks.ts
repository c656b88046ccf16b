/** What masks keep, and whether that is what they are called. */
import type { OpenedStep } from "../../probe/opened-step.ts";
import type { Subject } from "../../probe/subject.ts";
import { isMask } from "../../probe/synthetic.ts";
import type { TrialBatch } from "../batches.ts";
import { mean, short } from "./numbers.ts";
import type { Suspicion } from "./suspicion.ts";
import type { Trial } from "./trials.ts";

/** What people call a mask whose 1 is to be made anew, and one whose 1 is given. */
const toGenerate = /(^|_)(hole|holes|inpaint|missing|unknown|generate|edit|remove|erase|fill|damaged?)(_|$|s_|masks?)/;
const toKeep = /(^|_)(keep|kept|given|known|visible|context|clean)(_|$|masks?)/;

/** A mask whose name says what 1 means, and a `keep` that takes it the other way round. */
export function wrongPolarity(subject: Subject, trials: readonly Trial[]): Suspicion[] {
  const { program, step } = subject;
  const masks = program.sources.filter(({ name }) =>
    step.strategy.sources.some((source) => source.name === name && isMask(source, step.strategy)),
  );
  const [mask, ...others] = masks;
  if (mask === undefined || others.length > 0) return [];
  const isHole = toGenerate.test(mask.name) || toGenerate.test(mask.directory);
  const isGiven = toKeep.test(mask.name) || toKeep.test(mask.directory);
  if (isHole === isGiven) return [];
  return program.modalities.flatMap(({ name, span }): Suspicion[] => {
    const kept = (pattern: string) => {
      const trial = trials.find(({ batch }) => batch.masks === pattern);
      const generated = trial?.aims.get(name)?.generated.data;
      return generated === undefined ? NaN : 1 - mean(generated);
    };
    const [empty, full] = [kept("empty"), kept("full")];
    const isWrong = isHole ? full > empty : full < empty;
    if (!isWrong) return [];
    const written = subject.probed.find(({ key }) => key === `${name}.keep`)?.span;
    return [
      {
        code: "LTX7122",
        span: written ?? span,
        message: `where \`${mask.name}\` is 1, \`${name}\` is ${isHole ? "kept" : "generated"}: of an empty mask ${short(100 * empty)} % of the tokens are kept, of a full one ${short(100 * full)} %`,
        help: `its name says the opposite; if 1 means what is to be generated, write \`keep: not (${mask.name} > 0.5)\``,
        batch: trials.find(({ batch }) => batch.masks === "full")?.batch ?? null,
      },
    ];
  });
}

/** On single frames some samples are kept as a whole, by chance, and others are not. */
export async function imagesKeptWhole(
  subject: Subject,
  images: readonly { readonly step: OpenedStep; readonly batch: TrialBatch }[],
): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  for (const { name, generated, span } of subject.program.modalities) {
    if (!generated || name === "audio") continue;
    const whole: boolean[] = [];
    for (const { step } of images) {
      const seen = (await step.generated(name))?.generated;
      const [samples = 0, tokens = 0] = seen?.shape ?? [];
      for (let i = 0; i < samples; i++)
        whole.push(seen?.data.subarray(i * tokens, (i + 1) * tokens).every((value) => value === 0) ?? false);
    }
    const count = whole.filter(Boolean).length;
    if (count === 0 || count === whole.length) continue;
    found.push({
      code: "LTX7126",
      span: subject.probed.find(({ key }) => key === `${name}.keep`)?.span ?? span,
      message: `of samples with a single frame, ${count} of ${whole.length} are kept as a whole, and train nothing`,
      help: "an image is its own first frame: write `first_frame and frames > 1`",
      batch: images[0]?.batch ?? null,
    });
  }
  return found;
}
