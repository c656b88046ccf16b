import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fail } from "./findings.ts";
import { callSite, withinPart } from "./call-site.ts";

const test = suite("call site");

test("the innermost part counts, and none is left behind", () => {
  const seen: (string | null)[] = [];
  const look = () => seen.push(callSite());
  withinPart("a block", () => {
    look();
    withinPart("its attention", look);
    const broken = () => withinPart("what fails", () => fail("LTX7001", ""));
    assert.throws(broken);
    look();
  });
  look();
  assert.equal(seen, ["a block", "its attention", "a block", null]);
});

test("outside of the model it is the strategy's line", () => {
  const named = new Function(`return (look) => look();\n//# sourceURL=file:///project/huber.strategy`) as () => (
    look: () => string | null,
  ) => string | null;
  assert.match(named()(callSite) ?? "", /^huber\.strategy:\d+$/);
});

test.run();
