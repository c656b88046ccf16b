import { suite } from "uvu";
import * as assert from "uvu/assert";
import { escapeControls, onOneLine } from "./escape.ts";

const test = suite("escape");

test("what steers a terminal or turns text around is written out; line feeds and tabs stay", () => {
  assert.is(
    escapeControls("\u001b]8;;x\u0007a\u009b\u007f\r\n\t\u202e\u2066\u061c\u200f\u2028"),
    String.raw`\u001b]8;;x\u0007a\u009b\u007f\u000d` + "\n\t" + String.raw`\u202e\u2066\u061c\u200f\u2028`,
  );
  assert.is(onOneLine("a\n\tb\ud800"), String.raw`a\u000a\u0009b\ud800`);
});

test("what is not seen is written out, so that no two names look alike", () => {
  for (const unit of [
    "\u200b",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u180e",
    "\u2064",
    "\u3164",
    "\u115f",
    "\u2800",
    "\u200d",
    "\u200c",
  ])
    assert.is(escapeControls(`a${unit}b`), `a\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}b`);
  assert.is(escapeControls("a\u{e0041}\u{1d173}"), String.raw`a\udb40\udc41\ud834\udd73`);
  assert.is(JSON.parse(`"${escapeControls("a\u{e0041}\u200b")}"`), "a\u{e0041}\u200b");
});

test("letters of all scripts, combining marks and emoji stay", () => {
  for (const text of [
    "é e\u0301 ß ж 猫 ملف می\u200cخواهم",
    "👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈",
    "100\u00a0%",
    "क\u094d\u200dष",
  ])
    assert.is(escapeControls(text), text);
});

test.run();
