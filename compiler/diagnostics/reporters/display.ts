import { onOneLine } from "../../../runtime/escape.ts";

/** Text as a terminal shows it: how wide it is, and nothing in it that could steer the terminal. */

const tab = "    ";
const wide =
  /\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;
const invisible = /\p{Mark}|\p{Default_Ignorable_Code_Point}/u;

/** Tabs as spaces, control characters written out. */
export function visible(text: string): string {
  return onOneLine(text.replaceAll("\t", tab));
}

/** In columns of the terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of visible(text)) width += wide.test(character) ? 2 : invisible.test(character) ? 0 : 1;
  return width;
}
