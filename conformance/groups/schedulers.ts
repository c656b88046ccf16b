import { resolveConfig } from "../../runtime/config/resolve.ts";
import { createSchedule } from "../../runtime/optimizer/schedules.ts";
import type { Case, Manifest, Replay } from "../case.ts";
import { compare } from "../compare.ts";

/** Compares the learning rates of each schedule, past its end, too; schedules that must be refused must be findings. */
export const replay: Replay = async (replayed) =>
  (replayed.manifest["items"] as Manifest[]).flatMap((item, i) => replayItem(replayed, item, `items[${i}]`));

function replayItem({ manifest }: Case, item: Manifest, label: string): string[] {
  const { learning_rate, steps, scheduler_type, scheduler_params, lr, raises } = item;
  const optimization = {
    learning_rate,
    steps,
    scheduler_type: scheduler_type ?? "constant",
    scheduler_params: scheduler_type === "constant" ? {} : scheduler_params,
  };
  const raw = { model: { model_path: "none" }, lora: {}, data: { preprocessed_data_root: "." }, optimization };
  const { config } = resolveConfig(raw, { configDirectory: "/" });
  const refused = typeof raises === "string";
  if (config === null || refused)
    return (config === null) === refused ? [] : [`${label}: should ${refused ? "" : "not "}be refused`];
  const schedule = createSchedule(config.optimization);
  const expected = { dtype: "F64", shape: [lr.length], data: Float64Array.from(lr) };
  const actual = { shape: [lr.length], data: expected.data.map((_, j) => schedule(j)) };
  return compare(`${label} ${scheduler_type}`, actual, expected, manifest["tolerance"]);
}
