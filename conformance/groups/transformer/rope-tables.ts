import { ropeTables } from "../../../runtime/model/rope.ts";
import { frequencyGrid } from "../../../runtime/model/rope-grid.ts";
import { golden, type Case, type Manifest } from "../../case.ts";
import { compare } from "../../compare.ts";
import { toHost } from "../../golden-batch.ts";

/** Replays rotary frequencies and tables at realistic widths. */
export function ropeTableItems({ manifest, tensors }: Case): string[] {
  return (manifest["items"] as Manifest[]).flatMap((item) => {
    const { index, dim: width, num_attention_heads: heads, theta, max_pos: maxPos, rope_type: type } = item;
    const double = item["double_precision"];
    const grid = frequencyGrid(Math.floor(width / (2 * maxPos.length)), theta, double);
    const spec = { type, width, heads, theta, maxPos, double };
    const { cos, sin } = ropeTables(spec, toHost(golden(tensors, `${index}.positions`)));
    const { freq_grid: grids, "cos/sin": tables } = manifest["tolerance"];
    const expected = (name: string) => golden(tensors, `${index}.${name}`);
    return [
      // The stored tolerance is too wide to tell a float64 grid from a float32 one.
      ...compare(
        `${index}.freq_grid`,
        { shape: [grid.length], data: grid },
        expected("freq_grid"),
        double ? "exact" : grids,
      ),
      ...compare(`${index}.cos`, cos, expected("cos"), tables),
      ...compare(`${index}.sin`, sin, expected("sin"), tables),
    ];
  });
}
