/** Values for a strategy's parameters, from their schema. */
import { resolveParams } from "../../runtime/config/index.ts";
import type { StrategyInfo } from "../../runtime/contract.ts";

type Schema = Readonly<Record<string, unknown>>;

function propertiesOf({ params }: StrategyInfo): Readonly<Record<string, Schema>> {
  return (params["properties"] ?? {}) as Readonly<Record<string, Schema>>;
}

/** The defaults, and for parameters without one the smallest value that their schema allows. */
export function completeParams(strategy: StrategyInfo): Readonly<Record<string, unknown>> {
  const required = Object.entries(propertiesOf(strategy)).filter(([, schema]) => !Object.hasOwn(schema, "default"));
  const chosen = Object.fromEntries(required.map(([name, schema]) => [name, simplest(schema)]));
  return resolveParams(strategy, chosen).params;
}

function simplest(schema: Schema): unknown {
  const [first] = extremes(schema);
  if (first !== undefined) return first;
  switch (schema["type"]) {
    case "boolean":
      return false;
    case "string":
      return "data";
    case "array": {
      const length = numberIn(schema, "minItems") ?? 4;
      return Array.from({ length }, (_, i) => simplest((schema["items"] ?? {}) as Schema) ?? i);
    }
    default:
      return 1;
  }
}

/** The smallest and largest value that a schema allows, or each entry of an `enum`. */
function extremes(schema: Schema): readonly unknown[] {
  if (Array.isArray(schema["enum"])) return schema["enum"];
  if (schema["type"] === "boolean") return [false, true];
  const step = schema["type"] === "integer" ? 1 : 1e-3;
  const [above, below] = [numberIn(schema, "exclusiveMinimum"), numberIn(schema, "exclusiveMaximum")];
  const low = numberIn(schema, "minimum") ?? (above === undefined ? undefined : above + step);
  const high = numberIn(schema, "maximum") ?? (below === undefined ? undefined : below - step);
  return [low, high].filter((value) => value !== undefined);
}

function numberIn(schema: Schema, key: string): number | undefined {
  const value = schema[key];
  return typeof value === "number" ? value : undefined;
}

/** Changes of one parameter at a time to each of its extremes, without those that its schema refuses. */
export function limitsOf(strategy: StrategyInfo, params: Schema): Readonly<Record<string, unknown>>[] {
  return Object.entries(propertiesOf(strategy))
    .flatMap(([name, schema]) => extremes(schema).map((value) => ({ [name]: value })))
    .filter((changed) => Object.entries(changed).some(([name, value]) => params[name] !== value))
    .filter((changed) => resolveParams(strategy, { ...params, ...changed }).findings.length === 0);
}

/**
 * Further values of one parameter, without its own: its extremes, and of a number 0, 1, half, twice and ten times as much, and each of
 * `numbers` with what lies just below and above it. At one of them a condition that reads the parameter has another outcome.
 */
export function changesOf(
  strategy: StrategyInfo,
  params: Schema,
  name: string,
  numbers: readonly number[] = [],
): Readonly<Record<string, unknown>>[] {
  const schema = propertiesOf(strategy)[name] ?? {};
  const own = params[name];
  const step = schema["type"] === "integer" ? 1 : 0.01;
  const near =
    typeof own === "number"
      ? [2 * own, own / 2, 10 * own, 0, 1, ...numbers.flatMap((x) => [x - step, x, x + step])]
      : [];
  return [...new Set([...extremes(schema), ...near])]
    .filter((value) => value !== own)
    .map((value) => ({ [name]: value }))
    .filter((changed) => resolveParams(strategy, { ...params, ...changed }).findings.length === 0);
}
