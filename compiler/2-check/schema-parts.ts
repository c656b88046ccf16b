/** What the schema of the language is made of. */

export type Schema = Readonly<Record<string, unknown>>;

const name = "^[A-Za-z_][A-Za-z0-9_]*$";
const names: Schema = { title: "letters, digits and _, not beginning with a digit", pattern: name };

export const expression = (description: string, ...examples: (string | number | boolean)[]): Schema => ({
  type: ["string", "number", "boolean"],
  title: "an expression",
  description,
  ...(examples.length === 0 ? {} : { examples }),
});

export const entries = (description: string, ...examples: unknown[]): Schema => ({
  type: ["string", "number", "boolean", "array"],
  title: "an expression or a list of expressions",
  items: expression("An entry, maybe `with probability p`."),
  description,
  examples,
});

export const text = (description: string, more: Schema = {}): Schema => ({
  type: "string",
  title: "a text",
  description,
  ...more,
});

export const object = (
  description: string,
  properties: Readonly<Record<string, Schema>>,
  more: Schema = {},
): Schema => ({
  type: "object",
  title: "a mapping",
  description,
  properties,
  additionalProperties: false,
  ...more,
});

export const named = (description: string, value: Schema, more: Schema = {}): Schema => ({
  type: "object",
  title: "a mapping",
  description,
  propertyNames: names,
  additionalProperties: value,
  ...more,
});

export const number = (description: string): Schema => ({ type: "number", title: "a number", description });
export const count = (description: string): Schema => ({
  type: "integer",
  title: "a whole number",
  minimum: 0,
  description,
});

/** A relative path that does not lead upward. */
export const insideRoot = "^(?![/\\\\])(?![A-Za-z]:[/\\\\])(?!.*(?:^|[/\\\\])\\.\\.(?:[/\\\\]|$))[\\s\\S]+$";
