import { suite } from "uvu";
import * as assert from "uvu/assert";
import { wantsColor } from "./color.ts";

const test = suite("color");

test("the option wins over the environment and the kind of output", () => {
  assert.is(wantsColor("always", { NO_COLOR: "1" }, false), true);
  assert.is(wantsColor("never", { FORCE_COLOR: "1" }, true), false);
});

test("on auto NO_COLOR and FORCE_COLOR decide, else the kind of output", () => {
  assert.is(wantsColor("auto", { NO_COLOR: "1", FORCE_COLOR: "1" }, true), false);
  assert.is(wantsColor("auto", { FORCE_COLOR: "1" }, false), true);
  assert.is(wantsColor("auto", { FORCE_COLOR: "0" }, true), false);
  assert.is(wantsColor("auto", { NO_COLOR: "" }, true), true);
  assert.is(wantsColor("auto", {}, false), false);
  assert.is(wantsColor("auto", { TERM: "dumb" }, true), false);
});

test.run();
