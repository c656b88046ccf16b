/** Placeholders of `output_dir`: `outputs/{strategy}-{date}`. */
import { sep } from "node:path";
import { didYouMean } from "../nearest-word.ts";
import type { Finding } from "../findings.ts";
import { finding, isFields } from "./conform.ts";
import type { RunConfig } from "./run-config.ts";

const place: Finding["path"] = ["output_dir"];
const placeholder = /\{\{|\}\}|\{([^{}]*)\}/g;

/** Placeholders of the time at which a run begins, with the form that they have in a folder's name. */
const timed = { date: /\d{4}-\d{2}-\d{2}/, time: /\d{2}-\d{2}-\d{2}/ } as const;

type Timed = keyof typeof timed;
const isTimed = (name: string): name is Timed => name in timed;

/** Of a run config's settings those with one value, by their path; `strategy` and `params` by their own names as well. */
function valuesOf(config: RunConfig): ReadonlyMap<string, string> {
  const { name, ...params } = config.training_strategy;
  const values = new Map<string, string>();
  const collect = (fields: Readonly<Record<string, unknown>>, before: string) => {
    for (const [key, value] of Object.entries(fields)) {
      if (isFields(value)) collect(value, `${before}${key}.`);
      else if (["string", "number", "boolean"].includes(typeof value)) values.set(before + key, String(value));
    }
  };
  const { output_dir: _own, ...settings } = config;
  collect(params, "");
  collect(settings, "");
  return values.set("strategy", name);
}

/** What a value becomes as a part of a file's name. */
const asName = (value: string): string => value.replaceAll(/[^\p{L}\p{N}._+-]+/gu, "-").replace(/^\.+/, "");

/** A finding for each placeholder of `output_dir` that there is not. */
export function checkOutputFolder(config: RunConfig): Finding[] {
  const values = valuesOf(config);
  const known = [...Object.keys(timed), ...values.keys()];
  return [...config.output_dir.matchAll(placeholder)].flatMap(([text, name]): Finding[] => {
    if (name === undefined || known.includes(name)) return [];
    const near = didYouMean(name, known);
    const list =
      "`{strategy}`, `{date}`, `{time}`, `{seed}`, a param that `training_strategy` sets, or a setting such as `{lora.rank}`";
    const help = `${near ?? `write ${list}`}; braces that are meant are written twice: \`{{\`, \`}}\``;
    return [finding("LTX6343", place, `\`output_dir\` has no placeholder \`${text}\``, help)];
  });
}

/** The run config with the placeholders of its `output_dir` filled in. */
export function withOutputFolder(config: RunConfig, time: Readonly<Record<Timed, string>>): RunConfig {
  const values = valuesOf(config);
  const output_dir = config.output_dir.replaceAll(placeholder, (text: string, name: string | undefined) => {
    if (name === undefined) return text.slice(1);
    return isTimed(name) ? time[name] : asName(values.get(name) ?? "");
  });
  return { ...config, output_dir };
}

/** What stands for date and time of a run that begins at `now`. */
export function timeOf(now: Date): Readonly<Record<Timed, string>> {
  const two = (value: number) => String(value).padStart(2, "0");
  return {
    date: [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-"),
    time: [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join("-"),
  };
}

/** Characters that stand in a path for any date and any time: no path has them. */
export const anyTime: Readonly<Record<Timed, string>> = { date: "\u{f0000}", time: "\u{f0001}" };
const anyOf = new RegExp(Object.values(anyTime).join("|"), "u");

/** Folders of the same runs at any time, and those next to them that `ltxc run --new` makes. */
export interface OutputPattern {
  /** The innermost folder that all of them lie in, and how many levels below it they are. */
  readonly root: string;
  readonly depth: number;
  /** Matches the whole path. Its groups `date`, `time` and `number` say when a run began, and which of several it is. */
  readonly path: RegExp;
}

/** The pattern of an absolute path with `anyTime` in it; null for one without. */
export function outputPattern(path: string): OutputPattern | null {
  if (!anyOf.test(path)) return null;
  const parts = path.split(sep);
  const first = parts.findIndex((part) => anyOf.test(part));
  let source = quoted(path);
  for (const name of ["date", "time"] as const) {
    const again = () => `\\k<${name}>`;
    source = source.replace(anyTime[name], `(?<${name}>${timed[name].source})`).replaceAll(anyTime[name], again);
  }
  return {
    root: parts.slice(0, first).join(sep) || sep,
    depth: parts.length - first,
    path: new RegExp(`^${source}(?:-(?<number>[2-9]|[1-9]\\d+))?$`, "u"),
  };
}

const quoted = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
