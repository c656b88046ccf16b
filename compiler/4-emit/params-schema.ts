import type { CheckedParam } from "../2-check/checked.ts";

/** JSON Schema of a strategy's parameters: what a run config may give beside the strategy's name. */
export function paramsSchema(name: string, params: readonly CheckedParam[]): Readonly<Record<string, unknown>> {
  const required = params.filter(({ schema }) => !Object.hasOwn(schema, "default")).map((param) => param.name);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `Parameters of the strategy ${name}`,
    type: "object",
    properties: Object.fromEntries(params.map((param) => [param.name, param.schema])),
    required,
    additionalProperties: false,
  };
}
