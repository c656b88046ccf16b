import type { CheckedParam } from "../2-check/checked.ts";
import { isUnit, unitWords } from "../2-check/units.ts";

/** JSON Schema of a strategy's parameters: what a run config may give beside the strategy's name. */
export function paramsSchema(name: string, params: readonly CheckedParam[]): Readonly<Record<string, unknown>> {
  const required = params.filter(({ schema }) => !Object.hasOwn(schema, "default")).map((param) => param.name);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `Parameters of the strategy ${name}`,
    type: "object",
    properties: Object.fromEntries(params.map((param) => [param.name, standard(param.schema)])),
    required,
    additionalProperties: false,
  };
}

/** `unit` is no keyword of JSON Schema: the description says it. */
function standard({ unit, ...schema }: CheckedParam["schema"]): CheckedParam["schema"] {
  if (!isUnit(unit)) return schema;
  const { description } = schema;
  const text = typeof description === "string" ? `${description.replace(/[.]?\s*$/, "")} ` : "";
  return { ...schema, description: `${text}(in ${unitWords[unit]})` };
}
