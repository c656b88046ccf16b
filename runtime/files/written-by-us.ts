/** By which files that ltxc wrote are told from those of others, before one is replaced or deleted. */
import { readBeginning } from "./regular-file.ts";

/** Stands in the head of every page. */
export const generator = '<meta name="generator" content="ltxc">';

/** Pages of ltxc 0.1.0 had no such line. */
const earlyPage =
  /^<!doctype html>\n<html lang="en">(<head><meta charset[^\n]*\n<title>[^<]*<\/title><style>|[^]{0,500}– ltxc inspect<\/title>)/;

/** Whether a file is a page of ltxc, by its beginning. */
export const isOwnPage = (beginning: string): boolean =>
  beginning.slice(0, HEAD).includes(generator) || earlyPage.test(beginning);

/** The first line of `training_config.yaml` in the folder of a run. */
export const configHead =
  "# Written by ltxc: the settings of the run in this folder. The next run here replaces this file.";

/** Those of ltxc 0.1.0 had no such line, but every setting in its order, and texts in quotes. */
const earlyConfig = /^model:\n {2}model_path: "[^\n]*\n {2}text_encoder_path: (null|"[^\n]*)\n {2}video_vae_path: /;

/** Whether a file is the saved config of a run, by its beginning. */
export const isOwnConfig = (beginning: string): boolean =>
  beginning.startsWith(configHead) || earlyConfig.test(beginning);

const HEAD = 4096;

/** The first line with text of a file, and whether `isOwn` holds for it; null where no file can be read, and for an empty one. */
export async function firstLineOf(
  path: string,
  isOwn: (beginning: string) => boolean,
): Promise<{ readonly line: string; readonly isOwn: boolean } | null> {
  const text = await readBeginning(path, HEAD).then(String, () => "");
  const line = text.split("\n").find((each) => each.trim() !== "");
  return line === undefined ? null : { line: line.trim().slice(0, 60), isOwn: isOwn(text) };
}
