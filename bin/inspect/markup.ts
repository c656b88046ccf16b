import { escape } from "../shell/html.ts";

/** HTML and SVG from templates: inserted text is escaped, unless it is itself the result of a template. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Content = Markup | string | number | readonly Content[];

function textOf(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (typeof content === "object") return content.map(textOf).join("");
  return escape(String(content));
}

export function markup(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(strings.map((text, i) => text + (i < contents.length ? textOf(contents[i] ?? "") : "")).join(""));
}

export const nothing = new Markup("");
