/** Characters that could steer a terminal, or show text in another order than it is written in. */
const steering = /[^\P{Cc}\n\t]|[\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text with every character that could steer a terminal written out as `\u001b`; line feeds and tabs stay. In the form of JSON, YAML
 * and TypeScript, so that texts of these mean the same as before.
 */
export function escapeControls(text: string): string {
  return text.replace(steering, written);
}

/** The same for text that belongs on one line. */
export function onOneLine(text: string): string {
  return escapeControls(text).replace(/[\n\t]/g, written);
}

const written = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
