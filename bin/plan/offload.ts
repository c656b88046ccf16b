/** Whether a run leaves the frozen weights of blocks on the host: `runtime.offload`. */
import type { RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import type { Finding } from "../../runtime/findings.ts";
import {
  planOf,
  planBytes,
  type EngineName,
  type Plan,
  type PlanOptions,
  type PlannedEngine,
  type Preflight,
} from "../../runtime/index.ts";

/** A run whose `offload` is decided, and its plan. */
export interface Settled {
  readonly config: RunConfig;
  readonly plan: Plan;
  /** Whether `auto` has chosen to leave weights on the host. */
  readonly isChosen: boolean;
}

/** Makes a plan; as `planOf`. */
export type MakePlan = (config: RunConfig, engine: PlannedEngine) => Promise<Plan>;

const withBlocks = (config: RunConfig): RunConfig => ({ ...config, runtime: { ...config.runtime, offload: "blocks" } });

/** Whether weights of blocks can wait on the host: on PyTorch, where they are frozen. */
export const canOffload = ({ model }: RunConfig, engine: EngineName | PlannedEngine["name"]): boolean =>
  engine === "torch" && model.training_mode === "lora";

/**
 * Plans a run. `auto` leaves weights on the host where the run does not fit into a GPU's memory otherwise; on the CPU they are mapped from
 * their file, and the system keeps of them what it has room for. Where the run fits neither way, it takes less memory so, which is chosen, too.
 * @param most bytes that the run may take; null where that is not known
 * Errors: FindingsError as `planOf`.
 */
export async function settledPlan(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  { engine, most, ...how }: PlanOptions & { readonly engine: PlannedEngine; readonly most: number | null },
): Promise<Settled> {
  return await settledWith(plansOf(step, examined, how), config, engine, most);
}

/** Makes each plan once. Errors: as `planOf`. */
export function plansOf(step: Step, examined: Preflight, how: PlanOptions = {}): MakePlan {
  const made = new Map<string, Promise<Plan>>();
  return async (config, engine) => {
    // Until it is decided, `auto` is reckoned as `none`.
    const offload = config.runtime.offload === "blocks" ? "blocks" : "none";
    const key = JSON.stringify([{ ...config, runtime: { ...config.runtime, offload } }, engine]);
    const plan = made.get(key) ?? planOf(config, step, examined, engine, how);
    made.set(key, plan);
    return await plan;
  };
}

/** `settledPlan` with a way of one's own to make plans. */
export async function settledWith(
  make: MakePlan,
  config: RunConfig,
  engine: PlannedEngine,
  most: number | null,
): Promise<Settled> {
  const plan = await make(config, engine);
  const isOpen = config.runtime.offload === "auto" && engine.provider === "cuda" && canOffload(config, engine.name);
  if (!isOpen || most === null || planBytes(plan) <= most) return { config, plan, isChosen: false };
  const other = await make(withBlocks(config), engine);
  if (planBytes(other) >= planBytes(plan)) return { config, plan, isChosen: false };
  return { config: withBlocks(config), plan: other, isChosen: true };
}

/** Says why `offload: blocks` has no effect, where it has none. */
export function offloadFindings(
  config: RunConfig,
  engine: EngineName | PlannedEngine["name"] | "ltx-trainer",
): readonly Finding[] {
  if (config.runtime.offload !== "blocks" || (engine !== "ltx-trainer" && canOffload(config, engine))) return [];
  const reasons: Partial<Record<string, string>> = {
    onnx: "the engine onnx maps the weights from their file already: the system keeps in memory what it has room for",
    torch: "a full training has no frozen weights",
  };
  const message = `\`offload: blocks\` has no effect: ${reasons[engine] ?? `only the engine torch can do so, not ${engine}`}`;
  const help = engine === "torch" ? "remove the line, or train a LoRA" : "remove the line, or write `engine: torch`";
  return [{ code: "LTX6392", severity: "warning", path: ["runtime", "offload"], message, help }];
}
