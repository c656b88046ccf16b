/** Of a strategy with passes the part that is judged like any other: terms of the step's own call that no pass has to do with. */
import type { Subject } from "../../probe/subject.ts";

/** What a prediction is compared with. */
const aims = ["target", "clean", "noise"];

/** The strategy with these terms alone; null where it has none that compares a prediction with its target. */
export function withOwnTerms(subject: Subject): Subject | null {
  const { program } = subject;
  const own = program.modalities.map(({ name }) => name);
  // What the own call is given, and its target as it follows from that, may be made of what others predict.
  const given = own.flatMap((name) =>
    ["noisy", "sigma", "timesteps", "clean", "noise"].map((field) => `${name}.${field}`),
  );
  const isOwn = (core: unknown) => !reach(subject, core, new Set(given)).isOfPass;
  if (own.some((name) => !isOwn({ op: "ref", key: `${name}.target` }))) return null;
  const terms = program.terms.filter(({ core }) => isOwn(core));
  const keys = own.flatMap((name) => aims.map((field) => `${name}.${field}`));
  const compared = terms.some(({ core }) => keys.some((key) => reach(subject, core).keys.has(key)));
  return compared ? { ...subject, program: { ...program, terms } } : null;
}

/** Whether a value is made of what a pass predicts. */
export const isOfPass = (subject: Subject, key: string): boolean => reach(subject, { op: "ref", key }).isOfPass;

/** Whether a loss term is. */
export const isTermOfPass = (subject: Subject, { core }: Subject["program"]["terms"][number]): boolean =>
  reach(subject, core).isOfPass;

/** What a value is made of: the keys of others, but for those behind `stops`, and whether a prediction of a pass is among it. */
function reach({ program }: Subject, core: unknown, stops: ReadonlySet<string> = new Set()) {
  const statements = [...program.prepare, ...program.loss, ...(program.probe?.statements ?? [])];
  const made = new Map<string, unknown>(statements.map(({ key, core: own }) => [key, own]));
  const keys = new Set<string>();
  let found = false;
  // Not by recursion: values may refer to each other thousands deep.
  const left: unknown[] = [core];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (typeof node !== "object" || node === null) continue;
    if ("op" in node && node.op === "passPrediction") found = true;
    if ("op" in node && node.op === "ref" && "key" in node) {
      const key = String(node.key);
      if (!keys.has(key) && !stops.has(key)) left.push(made.get(key) ?? null);
      keys.add(key);
      continue;
    }
    left.push(...Object.values(node).filter((child) => child !== undefined));
  }
  return { keys, isOfPass: found };
}
