/** What the YAML reader complains about, in our words. */

interface YamlComplaint {
  readonly code: "LTX1001" | "LTX1002";
  readonly message: string;
  readonly help?: string;
}

export const openQuote = {
  code: "LTX1001",
  message: "this quoted text never ends",
  help: "close it with the quote that opens it",
} as const;

const quoteIt = "put the value in quotes";

/**
 * @param kind the reader's own name of the error; @param message its text, used where we have no better one; @param line what is written
 * on the line
 */
export function explainYamlError(kind: string, message: string, line: string): YamlComplaint {
  switch (kind) {
    case "TAB_AS_INDENT":
      return { code: "LTX1002", message: "a tab cannot indent a line", help: "indent with spaces" };
    case "BLOCK_AS_IMPLICIT_KEY":
      return syntax(
        "a second `key:` begins inside this value",
        foreignForm(line) ??
          "put the value in quotes if the `: ` belongs to it, else write the keys on lines of their own, indented alike",
      );
    case "MULTILINE_IMPLICIT_KEY":
      return syntax(
        "this is neither a `key: value` nor part of the value above",
        inPlaceOfEntry(line) ?? "write a colon and a space after the key",
      );
    case "BAD_INDENT":
      return badIndent(message);
    case "MISSING_CHAR":
      return message.includes("quote") ? openQuote : syntax(lowered(message), withoutSpace(line) ?? undefined);
    case "BAD_SCALAR_START":
      return syntax(`a value cannot begin with \`${message.at(-1) ?? ""}\``, quoteIt);
    case "BAD_DQ_ESCAPE":
      return syntax(lowered(message), "write a backslash as `\\\\`, or use single quotes");
    case "UNEXPECTED_TOKEN":
      return syntax(
        unexpected(message),
        misplacedEntry(line) ??
          unquotedBraces(line) ??
          unquotedTemplate(line) ??
          quotedText(line) ??
          bars(line) ??
          "check the indentation and the quotes of this line and the one above",
      );
    default:
      return syntax(lowered(message));
  }
}

/** `keep: - first_frame` */
function misplacedEntry(line: string): string | null {
  const [, key, entry] = /^\s*(?:- )?([\w.]+):\s+-\s+(.*?)\s*$/.exec(line) ?? [];
  return entry === undefined
    ? null
    : `write \`${key}: ${entry}\`; of several entries each stands on a line of its own below \`${key}:\`, behind \`- \``;
}

/** `output_dir: {strategy}-{date}` */
function unquotedBraces(line: string): string | null {
  const [, key, value] = /^\s*(?:- )?([\w.]+):\s+(\{[\w.]+\}[^\s#"].*?)\s*$/.exec(line) ?? [];
  return value === undefined ? null : `a text that begins with \`{\` stands in quotes: \`${key}: "${value}"\``;
}

/** `{directory: ${dir}, kind: video_latents}` */
export function unquotedTemplate(line: string): string | null {
  const [, key, value] = /[{,]\s*([\w.]+):\s+((?:[^\s,{}"']*\$\{\w+\})+[^\s,{}"']*)/.exec(line) ?? [];
  return value === undefined ? null : `within braces a text with \`\${…}\` stands in quotes: \`${key}: "${value}"\``;
}

/** `// a comment`, `half := 2` */
function inPlaceOfEntry(line: string): string | null {
  if (/^\s*(\/\/|\/\*|--|%)/.test(line)) return "a comment begins with `#`";
  const [, name, value] = /^\s*([A-Za-z_]\w*)\s*:?=\s*(\S.*?)\s*$/.exec(line) ?? [];
  return value === undefined ? null : `a name is followed by a colon: write \`${name}: ${value}\``;
}

/** `w: |x|` */
function bars(line: string): string | null {
  const inner = /:\s+\|([^|]+)\|/.exec(line)?.[1];
  return inner === undefined
    ? null
    : `bars begin a text of several lines in YAML; the size of a value is \`abs(${inner})\``;
}

/** `keep:not inpaint` */
function withoutSpace(line: string): string | null {
  const [, key, value] = /^\s*(?:- )?(\w+):(\S.*?)\s*$/.exec(line) ?? [];
  return value === undefined ? null : `a space follows the colon: \`${key}: ${value}\``;
}

/** `- "" with probability 0.1` */
function quotedText(line: string): string | null {
  const [, quoted, rest] = /^\s*(?:- )?(?:[\w.]+:\s+)?("[^"]*"|'[^']*')\s+(with\s.*?)\s*$/.exec(line) ?? [];
  return quoted === undefined
    ? null
    : `no text stands here, but the name of a source with encoded captions: \`empty ${rest}\`, with \`empty: {file: empty.pt, kind: text_embeddings}\` under \`sources\``;
}

/** Forms of other languages that hold a colon. */
function foreignForm(line: string): string | null {
  const drawn = /^\s*(?:- )?(.*\S\s+with\s+)(?:probability|prob|p):\s*(.*)$/.exec(line);
  if (drawn !== null) return `write \`${drawn[1]}probability ${drawn[2]}\`, without the second colon`;
  const [, key = "", value = ""] = /^\s*(?:- )?([^:]*):\s+(.*)$/.exec(line) ?? [];
  const choice = /^(.*?)\?(.*?):([^)]*)/
    .exec(value)
    ?.slice(1)
    .map((part) => part.trim().replace(/^\(/, ""));
  if (choice !== undefined)
    return `write \`if ${choice[0]} then ${choice[1]} else ${choice[2]}\`, in parentheses inside of an expression`;
  const lambda = /^lambda\s+([^:]*):\s*(.*)$/.exec(value);
  if (lambda !== null)
    return `a function is an entry of \`let\` with arguments: \`${key}(${lambda[1]}): ${lambda[2]}\``;
  const block = /^if\s+(.*?):\s*(.*)$/.exec(value);
  return block === null
    ? null
    : `write \`if ${block[1]} then ${block[2]} else …\`, of masks \`${block[1]} and ${block[2]}\``;
}

function syntax(message: string, help?: string): YamlComplaint {
  return { code: "LTX1001", message, ...(help === undefined ? {} : { help }) };
}

function badIndent(message: string): YamlComplaint {
  const close = /end with a ([\]}])/.exec(message)?.[1];
  if (close !== undefined) {
    const open = close === "]" ? "[" : "{";
    return syntax(
      `the list or mapping that \`${open}\` opens never ends`,
      `close it with \`${close}\`, indented deeper than its key`,
    );
  }
  return syntax("this line is indented differently from its neighbours", "indent the keys of one mapping alike");
}

function unexpected(message: string): string {
  const found = /: "(.)"$/.exec(message)?.[1];
  return found === undefined ? "this does not belong to the value before it" : `\`${found}\` does not belong here`;
}

function lowered(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
