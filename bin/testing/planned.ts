/** Calls `ltxc plan` for tests. */
import * as assert from "uvu/assert";
import { ltxc } from "./testing.ts";

/** Parts of what `ltxc plan --json` prints that tests look at. */
interface Json {
  readonly fits: boolean;
  readonly residentBytes: number;
  readonly plan: { readonly largest: { readonly memory: Readonly<Record<string, number>>; readonly tokens: number } };
  readonly alternatives: readonly { readonly settings: readonly string[]; readonly residentBytes: number }[];
}

/** The plan of the project in `folder` with these settings, as for `--set`. */
export async function planned(folder: string, ...set: readonly string[]): Promise<Json> {
  const { out, code } = await ltxc(["plan", "--json", ...set.flatMap((text) => ["--set", text])], { cwd: folder });
  assert.is(code, 0);
  return JSON.parse(out) as Json;
}
