import { resolveConfig } from "../../runtime/config/resolve.ts";
import { createSchedule } from "../../runtime/optimizer/schedules.ts";
import type { Case, Manifest } from "../case.ts";
import { declared, type Checks } from "../checks.ts";
import { keys, limits } from "../known.ts";

/** Compares the learning rates of each schedule, past its end, too; schedules that must be refused must be findings. */
export const replay = declared(
  {
    manifest: {
      items: {
        ...keys("scheduler_type", "learning_rate", "steps", "scheduler_params", "lr", "raises"),
        ...keys("message", "scheduler_is_none"),
      },
      tolerance: limits(),
    },
  },
  (replayed, checks) => {
    (replayed.manifest["items"] as Manifest[]).forEach((item, i) => replayItem(replayed, checks, item, `items[${i}]`));
  },
);

function replayItem({ manifest }: Case, checks: Checks, item: Manifest, label: string): void {
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
  if ((config === null) !== refused) checks.fail(`${label}: should ${refused ? "" : "not "}be refused`);
  if (config === null || refused) return;
  const schedule = createSchedule(config.optimization);
  const rates = (lr as number[]).map((_, j) => schedule(j));
  checks.numbers(`${label} ${scheduler_type}`, rates, lr, manifest["tolerance"]);
}
