/** Regular expressions of JavaScript, as `pattern` of a parameter has them (flag `u`), for pydantic and for Python. */

/** One element of a regular expression: an escape, the beginning of a group, a class without characters, or a character. */
const element =
  /\\(?:u\{[0-9a-f]+\}|u[0-9a-f]{4}|x[0-9a-f]{2}|c[a-z]|k<\w+>|p\{[^}]*\}|\d+|[^])|\(\?(?:<?[=!]|<\w+>|:)|\[\^?\]|[^]/giu;

interface Element {
  readonly text: string;
  /** Whether it stands in the brackets of a class. */
  readonly inClass: boolean;
}

function elements(pattern: string): Element[] {
  let inClass = false;
  return [...pattern.matchAll(element)].flatMap(([text]) => {
    // Within a class, `[^]` is three characters.
    const parts = inClass && text.startsWith("[") ? [...text] : [text];
    return parts.map((part) => {
      const found = { text: part, inClass };
      if (part === "[" && !inClass) inClass = true;
      else if (part === "]") inClass = false;
      return found;
    });
  });
}

/** Whether pydantic reads it alike. Its regular expressions know no look-around and no back references, and take `[` and `&&` in classes. */
export function isForPydantic(pattern: string): boolean {
  const isBeyond = ({ text, inClass }: Element) =>
    /^(?:\(\?[^:]|\\[0-9ck]|\[\^?\]$)/i.test(text) || (inClass && /^[[&~]$/.test(text));
  return !/[-]-/.test(pattern) && !elements(pattern).some(isBeyond);
}

/** The same for Python's `re`; null if it has no words for it: classes of Unicode, and what it looks back to must have a fixed length. */
export function inPython(pattern: string): string | null {
  const all = elements(pattern);
  const looksBack = all.some(({ text }) => /^\(\?<[=!]/.test(text)) && /[*+?{|]/.test(pattern.replaceAll("(?", "("));
  if (looksBack || all.some(({ text }) => /^\\p/i.test(text))) return null;
  return all.map(elementInPython).join("");
}

function elementInPython({ text, inClass }: Element): string {
  if (text === "[^]") return "[\\s\\S]";
  if (text === "[]") return "(?!)";
  if (text === "$" && !inClass) return "\\Z";
  if (inClass && /^[[&~|]$/.test(text)) return `\\${text}`;
  const code = /^\\u\{(.+)\}$/i.exec(text)?.[1];
  if (code !== undefined) return `\\U${code.padStart(8, "0")}`;
  if (text.startsWith("\\c")) return `\\x${(text.charCodeAt(2) % 32).toString(16).padStart(2, "0")}`;
  return text.replace(/^\\k<(\w+)>$/, "(?P=$1)").replace(/^\(\?<(?=\w)/, "(?P<");
}
