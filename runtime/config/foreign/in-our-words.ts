import runConfigSchema from "../../../schemas/train.schema.json" with { type: "json" };
import type { Finding, Rewrite } from "../../findings.ts";
import { conform, isFields } from "../conform.ts";
import type { Schema } from "../schema.ts";
import { foreignSetting, plainWord, type ForeignSetting } from "./settings.ts";
import { foreignValue, mainSetting } from "./values.ts";

type Path = Finding["path"];

/** A foreign setting of the file, and what it is here. */
interface Found {
  readonly path: Path;
  readonly meaning: ForeignSetting | null;
  /** The value to write there; undefined where none is certain. */
  readonly value: unknown;
}

/**
 * Findings about settings that `raw` has in another trainer's words, with what they are here, and with rewrites where the values mean the
 * same. A setting that is missing because it stands under another name is no mistake of its own.
 */
export function inOurWords(findings: readonly Finding[], raw: unknown, schema: Schema): Finding[] {
  const settings = leavesOf(schema, []);
  const named = new Set<string>();
  const translated = findings.map((finding) => {
    if (finding.code === "LTX6002") return withMeantValue(finding, raw, schema);
    if (finding.code !== "LTX6001") return finding;
    const found = meaningsOf(finding.path, at(raw, finding.path), settings, schema);
    for (const { meaning } of found) if (meaning?.to != null) named.add(meaning.to);
    return withMeaning(finding, found, raw);
  });
  const isNamed = ({ path, missing }: Finding) => {
    const name = missing === undefined ? null : [...path, missing].join(".");
    return name !== null && [...named].some((to) => to === name || to.startsWith(`${name}.`));
  };
  return translated.filter((finding) => !isNamed(finding));
}

/** What a word is as a setting: its own name, with any section before it, or that of another trainer; null if it is neither. */
export function settingOf(word: string): ForeignSetting | null {
  const parts = word.split(".");
  const settings = leavesOf(runConfigSchema as Schema, []);
  if (settings.includes(word)) return { to: word };
  const main = mainSetting(word, "");
  if (main !== null) return { to: `${word}.${main}` };
  return ownName(parts.at(-1) ?? "", settings) ?? foreignSetting(parts.at(-2) ?? "", parts.at(-1) ?? "");
}

/** One finding about an unknown key, with what the key is; the file's other settings are not looked at. */
export function withMeaningOf(finding: Finding, schema: Schema): Finding {
  return withMeaning(finding, meaningsOf(finding.path, null, leavesOf(schema, []), schema), null);
}

/** Paths of all settings that are no sections, without those of lists. */
function leavesOf({ properties = {} }: Schema, path: readonly string[]): readonly string[] {
  return Object.entries(properties).flatMap(([key, inner]) =>
    inner.properties === undefined ? [[...path, key].join(".")] : leavesOf(inner, [...path, key]),
  );
}

function at(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[key] : undefined,
    data,
  );
}

/** What an unknown key means; of an unknown section, what each of its keys means. */
function meaningsOf(path: Path, value: unknown, settings: readonly string[], schema: Schema): readonly Found[] {
  const section = path.slice(0, -1).findLast((part) => typeof part === "string") ?? "";
  const key = String(path.at(-1));
  const meaning = ownName(key, settings) ?? foreignSetting(String(section), key);
  const inner = isFields(value)
    ? Object.entries(value).map(([name, each]) => [name, each] as const)
    : Array.isArray(value) && value.some(isFields)
      ? value.map((each, i) => [i, each] as const)
      : null;
  if (inner !== null && typeof path.at(-1) === "number")
    return inner.flatMap(([name, each]) => meaningsOf([...path, name], each, settings, schema));
  if (inner !== null && (meaning === null || isFields(value) || Array.isArray(value)))
    return inner.flatMap(([name, each]) => meaningsOf([...path, name], each, settings, schema));
  return [{ path, meaning, value: meaning === null ? undefined : valueFor(meaning, value, schema) }];
}

/** The official setting of this name in another section, or written in another way, such as `learningRate`. */
function ownName(key: string, settings: readonly string[]): ForeignSetting | null {
  const named = settings.filter((setting) => plainWord(setting.split(".").at(-1) ?? "") === plainWord(key));
  // Elsewhere `optimizer` may also be AdamW.
  const same = named.filter((setting) => !setting.startsWith("runtime.optimization.optimizer"));
  const [to] = same;
  return same.length === 1 && to !== undefined ? { to } : null;
}

/** The value as the setting takes it; undefined if it does not. */
function valueFor({ to, value: convert }: ForeignSetting, written: unknown, schema: Schema): unknown {
  if (to === null) return undefined;
  const path = to.split(".");
  const own = path.reduce<Schema | undefined>((inner, key) => inner?.properties?.[key], schema);
  const meant = convert === undefined ? written : convert(written);
  if (own === undefined || meant === undefined || meant === null) return undefined;
  const word = typeof meant === "string" ? foreignValue(to, meant)?.value : undefined;
  const findings: Finding[] = [];
  const fitted = conform(own, word ?? meant, path, findings);
  return findings.length > 0 ? undefined : fitted;
}

function withMeaning(finding: Finding, found: readonly Found[], raw: unknown): Finding {
  const known = found.filter(({ meaning }) => meaning !== null);
  if (known.length === 0) return finding;
  const { near: _near, ...bare } = finding;
  const isSection = found.length > 1 || found[0]?.path.length !== finding.path.length;
  const [only] = known;
  const help = isSection || only === undefined ? helpOfSection(found) : helpOf(only, finding.path, raw);
  const rewrites = rewritesOf(finding.path, found, raw);
  return { ...bare, help, ...(rewrites === null ? {} : { rewrites }) };
}

/** `it is `optimization.learning_rate`: write `learning_rate:` below `optimization:``. */
function helpOf({ meaning, value, path }: Found, { length }: Path, raw: unknown): string {
  const { to = null, say } = meaning ?? {};
  if (to === null) return say ?? "";
  const parts = to.split(".");
  const line = `${parts.at(-1)}:${isPlain(value) ? ` ${inYaml(value)}` : ""}`;
  const isHere = parts.slice(0, -1).join(".") === path.slice(0, -1).join(".") && length === parts.length;
  const below = isHere
    ? ""
    : parts.length === 1
      ? " at the left edge of the file"
      : ` below ${sectionText(parts.slice(0, -1))}`;
  const isTwice = at(raw, parts) !== undefined;
  const start = isTwice
    ? `it is \`${to}\`, which the file has, too: remove one of them`
    : `it is \`${to}\` here: write \`${line}\`${below}`;
  return say === undefined || (value !== undefined && !isTwice) ? start : `${start}; ${say}`;
}

/** `optimization:` in `runtime:`, the inner one first. */
const sectionText = (sections: readonly string[]): string =>
  sections
    .toReversed()
    .map((section) => `\`${section}:\``)
    .join(" in ");

const isPlain = (value: unknown) => ["string", "number", "boolean"].includes(typeof value);

/** Words that YAML 1.1 reads as something else stand in quotes. */
const inYaml = (value: unknown): string =>
  typeof value === "string" && /^[\w./-]+$/.test(value) && !/^(no|off|yes|on|true|false|null|[\d.+-].*)$/i.test(value)
    ? value
    : JSON.stringify(value);

const mostNamed = 12;

function helpOfSection(found: readonly Found[]): string {
  const lines = found.slice(0, mostNamed).map(({ path, meaning }) => {
    const name = `\`${path.at(-1)}\``;
    if (meaning === null) return `${name} has no counterpart`;
    return meaning.to === null ? `${name}: ${meaning.say}` : `${name} is \`${meaning.to}\``;
  });
  const rest = found.length > mostNamed ? `; and ${found.length - mostNamed} more` : "";
  return `it is a section of another trainer. Here ${lines.join("; ")}${rest}`;
}

/** Writes everything at its place, or nothing: null where one value is not certain, or is there already. */
function rewritesOf(path: Path, found: readonly Found[], raw: unknown): readonly Rewrite[] | null {
  const moves = found.map(({ meaning, value }) => ({ to: meaning?.to?.split(".") ?? [], value }));
  // Sections in sections are left to the user.
  const isCertain = moves.every(
    ({ to, value }) => to.length > 0 && to.length < 3 && value !== undefined && at(raw, to) === undefined,
  );
  const targets = new Set(moves.map(({ to }) => to.join(".")));
  if (!isCertain || targets.size < moves.length) return null;
  const [first] = moves;
  const section = (to: readonly string[]) => to.slice(0, -1);
  if (moves.length === 1 && first !== undefined && section(first.to).join(".") === path.slice(0, -1).join("."))
    return [{ path, entries: { [first.to.at(-1) ?? ""]: first.value } }];
  const sections = [...new Set(moves.map(({ to }) => section(to).join(".")))];
  const additions = sections.map((name) => {
    const group = moves.filter(({ to }) => section(to).join(".") === name);
    return addition(name, Object.fromEntries(group.map(({ to, value }) => [to.at(-1) ?? "", value])), raw);
  });
  return [...additions, { path: removable(path, raw), entries: {} }];
}

/** Adds entries to a section, or to the file where the section is `""`; a section that is missing is added with them. */
function addition(section: string, entries: Rewrite["entries"], raw: unknown): Rewrite {
  const [first = ""] = Object.keys(entries);
  if (section === "") return { path: [first], entries, orAdd: true };
  const own = at(raw, [section]);
  return isFields(own) && Object.keys(own).length > 0
    ? { path: [section, first], entries, orAdd: true }
    : { path: [section], entries: { [section]: entries }, orAdd: true };
}

/** The key, or the section that would be empty without it. */
function removable(path: Path, raw: unknown): Path {
  const outer = path.slice(0, -1);
  const section = at(raw, outer);
  return outer.length > 0 && isFields(section) && Object.keys(section).length < 2 ? removable(outer, raw) : path;
}

function withMeantValue(finding: Finding, raw: unknown, schema: Schema): Finding {
  const { path } = finding;
  const written = at(raw, path);
  const key = String(path.at(-1));
  const main = path.length === 1 ? mainSetting(key, written) : null;
  if (main !== null) {
    const help = `write \`${key}:\` and below it, indented, \`${main}: ${inYaml(written)}\``;
    return { ...finding, help, rewrites: [{ path, entries: { [key]: { [main]: written } } }] };
  }
  if (typeof written !== "string") return finding;
  const meant = foreignValue(path.join("."), written);
  if (meant === null) return finding;
  const { near: _near, rewrites: _rewrites, ...bare } = finding;
  const own = path.reduce<Schema | undefined>((inner, part) => inner?.properties?.[part], schema);
  const isKept = meant.value === undefined || own === undefined;
  return { ...bare, help: meant.say, ...(isKept ? {} : { rewrites: [{ path, entries: { [key]: meant.value } }] }) };
}
