import type { Failure } from "../thread/failure.ts";

/** Factors of the units that PyTorch uses for the memory of a GPU. */
const units: Readonly<Record<string, number>> = { bytes: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Takes apart what the thread says when a graph fails: `node NAME: OPERATOR: reason`. */
export function readFailure(message: string): Failure {
  const [, node = null, said = message] = /^node (\S+): (.*)$/s.exec(message) ?? [];
  const [, amount, unit] = /[Tt]r(?:ied|ying) to allocate ([\d.]+) (bytes|[KMGT]iB)/.exec(said) ?? [];
  const wanted = amount === undefined ? null : Math.round(Number(amount) * (units[unit ?? ""] ?? 1));
  return { node, reason: said.split("\n")[0] ?? "", wanted };
}
