/** Characters that could steer a terminal, or show text in another order than it is written in. */
const steering = /[^\P{Cc}\n\t]|[\p{Cs}\u2028\u2029]/u;

/** Characters that are not seen, so that two different names would look alike. Joiners are part of emoji and of other scripts. */
const unseen = /(?![\u200c\u200d])\p{Cf}|(?<![^\0-\x7f])[\u200c\u200d]|[\u115f\u1160\u2800\u3164\uffa0]/u;

const hidden = new RegExp(`${steering.source}|${unseen.source}`, "gu");

/**
 * Text with every character that could steer a terminal, or that is not seen, written out as `\u001b`; line feeds and tabs stay. In the form of JSON, YAML
 * and TypeScript, so that texts of these mean the same as before.
 */
export function escapeControls(text: string): string {
  return text.replace(hidden, written);
}

/** The same for text that belongs on one line. */
export function onOneLine(text: string): string {
  return escapeControls(text).replace(/[\n\t]/g, written);
}

/** A value as JSON in which nothing could steer a terminal or hide: what a reader makes of it is the same. */
export function jsonText(value: unknown, spaces?: number): string {
  return escapeControls(JSON.stringify(value, null, spaces));
}

/** Outside of the first plane there are two units. */
const written = (character: string): string =>
  character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
