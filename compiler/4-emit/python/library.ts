/** What emitted modules bring along: the functions, classes and constants of library/*.py, of which each takes what it needs. */
import { libraryTexts } from "./library.generated.ts";

/** A function, class or constant at the top of a file, with the comment above it. */
interface Definition {
  readonly name: string;
  readonly text: string;
  /** Names that its text uses, of other definitions, of packages, or its own. */
  readonly uses: ReadonlySet<string>;
}

interface Section {
  /** The first line of the file's docstring. */
  readonly title: string;
  readonly definitions: readonly Definition[];
}

interface Library {
  readonly sections: readonly Section[];
  readonly byName: ReadonlyMap<string, Definition>;
  /** `import math` and `from torch import Tensor`, by the name that each gives. */
  readonly imports: ReadonlyMap<string, string>;
}

let parsed: Library | null = null;

/** The library, taken apart once. */
export function library(): Library {
  parsed ??= parseLibrary(libraryTexts);
  return parsed;
}

interface Needed {
  /** What the emitted module brings along, in the order of the files. */
  readonly sections: readonly { readonly title: string; readonly texts: readonly string[] }[];
  /** Every name that the text and these parts use. */
  readonly names: ReadonlySet<string>;
}

/** The parts of a library that a text needs, directly or through each other. */
export function neededParts(text: string, { sections, byName } = library()): Needed {
  const names = new Set(namesIn(text));
  // A set goes on with what is added to it meanwhile.
  for (const name of names) for (const used of byName.get(name)?.uses ?? []) names.add(used);
  const needed = sections.map(({ title, definitions }) => ({
    title,
    texts: definitions.filter(({ name }) => names.has(name)).map((definition) => definition.text),
  }));
  return { sections: needed.filter(({ texts }) => texts.length > 0), names };
}

export function parseLibrary(files: Readonly<Record<string, string>>): Library {
  const sections = Object.values(files).map((text) => ({
    title: (/^"""(.*?)\.?(?:"""|\n)/.exec(text)?.[1] ?? "").replace(/[.:].*$/, ""),
    definitions: definitionsOf(text),
  }));
  const all = sections.flatMap(({ definitions }) => definitions);
  const imports = Object.values(files).flatMap((text) => importsIn(text));
  return { sections, byName: new Map(all.map((each) => [each.name, each])), imports: new Map(imports) };
}

/** The statements at the top of a file that define a name; a statement goes on until the next line that begins with a word. */
function definitionsOf(text: string): Definition[] {
  const statements = text.split(/^(?=@|def |class |[A-Za-z_]\w* *[:=]|#|if )/m).slice(1);
  const whole: string[] = [];
  let above = "";
  for (const statement of statements) {
    above += statement;
    // A comment or a decorator belongs to what comes below it.
    if (/^[#@]/.test(statement)) continue;
    whole.push(above);
    above = "";
  }
  return whole.flatMap((statement) => {
    const name = /^(?:(?:def|class) +)?([A-Za-z_]\w*)/m.exec(statement.replace(/^[#@].*\n/gm, ""))?.[1];
    return name === undefined || name === "if" ? [] : [{ name, text: statement.trimEnd(), uses: namesIn(statement) }];
  });
}

/** The import statements at the top of a text, by the names that they give. */
export function importsIn(text: string): (readonly [string, string])[] {
  return [...text.matchAll(/^(?:from ([\w.]+) )?import (.+)$/gm)].flatMap(([, from, names = ""]) =>
    names
      .trim()
      .split(/\s*,\s*/)
      .map((each) => {
        const given = each.split(" as ").at(-1) ?? each;
        return [given.split(".")[0] ?? given, `${from === undefined ? "" : `from ${from} `}import ${each}`] as const;
      }),
  );
}

const token =
  /(?<text>(?<kind>\b[rbfRBF]{1,2})?(?:"""(?:\\[\s\S]|[^\\])*?"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))|#.*|\.\s*[A-Za-z_]\w*|[A-Za-z_]\w*(?<named>\s*=(?!=))?/g;

/** The text with blanks in place of what comments and strings hold, line by line as long as before. */
export function blanked(text: string): string {
  return text.replace(token, (found: string) => {
    const isText = /^[rbf]*["']/i.test(found);
    const blank = (part: string) => part.replace(/[^\n]/g, " ");
    if (found.startsWith("#")) return blank(found);
    return isText ? `"${blank(found.slice(1, -1))}"` : found;
  });
}

/** The names that a text of Python uses: not attributes, not names of arguments or assignments, nothing in comments and texts. */
export function namesIn(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { 0: found, groups } of text.matchAll(token)) {
    if (groups?.["text"] !== undefined) {
      if (!/f/i.test(groups["kind"] ?? "")) continue;
      for (const [, inner = ""] of found.matchAll(/\{([^{}]*)\}/g)) for (const name of namesIn(inner)) names.add(name);
    } else if (/^[A-Za-z_]/.test(found) && groups?.["named"] === undefined) names.add(found);
  }
  return names;
}
