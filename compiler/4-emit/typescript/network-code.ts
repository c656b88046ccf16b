/** Prints calls of networks whose weights are not trained. */
import type { Term } from "../../2-check/core.ts";
import { call, list, type Code } from "./code.ts";
import type { Scope } from "./scope.ts";
import { literal } from "./words.ts";

/** All calls of a network with a window see the same part of the grid. */
export function networkCode({ name }: Term<"network">, arg: Code, scope: Scope): Code {
  scope.contextMember("network");
  const part = scope.windowOf(name) === null ? arg : partOf(name, arg, 2, scope);
  return call("network", [literal(name), part]);
}

/** Within the weights of a mean over `pixels`. */
export function enlargeCode({ window }: Term<"enlarge">, cells: Code, scope: Scope): Code {
  const part = window === null ? cells : partOf(window, cells, 1, scope);
  return call(scope.helper("enlarged"), ["ops", part, "pixels"]);
}

/** The part of a network's window. `first`: the axis of frames, which rows and columns follow. */
function partOf(network: string, code: Code, first: 1 | 2, scope: Scope): Code {
  const window = scope.windowOf(network);
  scope.contextMember("draws");
  const sizes = list([window?.frames, window?.height, window?.width].map((size) => String(size ?? null)));
  const place = call("draws.numbers", [literal(`network.${network}`), "3"]);
  return call(scope.helper("windowed"), ["ops", scope.inputName(), code, String(first), sizes, place]);
}
