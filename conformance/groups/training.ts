import type { Replay } from "../case.ts";

/** Cases of this group are of three kinds, told apart by what their manifest has. */
export const replay: Replay = async (golden, engine) => {
  const { manifest } = golden;
  if ("batches" in manifest) return (await import("./training/run.ts")).replayRun(golden, engine);
  if ("items" in manifest) return (await import("./training/targets.ts")).replayTargets(golden, engine);
  if ("relative_path" in manifest) return (await import("./training/checkpoint.ts")).replayCheckpoint(golden, engine);
  return [
    "its manifest has neither batches nor items nor a path of a checkpoint: no kind of training case is like that",
  ];
};
