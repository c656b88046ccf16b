import { ropeTables } from "../../../runtime/model/rope.ts";
import { frequencyGrid } from "../../../runtime/model/rope-grid.ts";
import { golden, type Case, type Manifest } from "../../case.ts";
import { declared, type Checks } from "../../checks.ts";
import { toHost } from "../../golden-batch.ts";
import { keys, limits } from "../../known.ts";

/** Replays rotary frequencies and tables at realistic widths. */
export const ropeTableItems = declared(
  {
    manifest: {
      config: {},
      items: {
        ...keys("index", "dim", "num_attention_heads", "max_pos", "rope_type", "double_precision", "theta"),
        // Both show in the shape of the positions.
        ...keys("position_dims", "use_middle_indices_grid"),
      },
      tolerance: limits("freq_grid", "cos/sin"),
    },
    inputs: /^\d+\.positions$/,
  },
  (replayed, checks) => {
    for (const item of replayed.manifest["items"] as Manifest[]) replayItem(replayed, checks, item);
  },
);

function replayItem({ manifest, tensors }: Case, checks: Checks, item: Manifest): void {
  const { index, dim: width, num_attention_heads: heads, theta, max_pos: maxPos, rope_type: type } = item;
  const double = item["double_precision"];
  const grid = frequencyGrid(Math.floor(width / (2 * maxPos.length)), theta, double);
  const spec = { type, width, heads, theta, maxPos, double };
  const { cos, sin } = ropeTables(spec, toHost(golden(tensors, `${index}.positions`)));
  const { freq_grid: grids, "cos/sin": tables } = manifest["tolerance"];
  // The stored tolerance is too wide to tell a float64 grid from a float32 one.
  checks.compare(`${index}.freq_grid`, { shape: [grid.length], data: grid }, double ? "exact" : grids);
  checks.compare(`${index}.cos`, cos, tables);
  checks.compare(`${index}.sin`, sin, tables);
}
