import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fail } from "./findings.ts";
import { placeOfCall, within } from "./places.ts";

const test = suite("places");

test("the innermost place counts, and none is left behind", () => {
  const seen: (string | null)[] = [];
  const look = () => seen.push(placeOfCall());
  within("a block", () => {
    look();
    within("its attention", look);
    const broken = () => within("what fails", () => fail("LTX7001", ""));
    assert.throws(broken);
    look();
  });
  look();
  assert.equal(seen, ["a block", "its attention", "a block", null]);
});

test("beside the model it is the strategy's line", () => {
  const named = new Function(`return (look) => look();\n//# sourceURL=file:///project/huber.strategy`) as () => (
    look: () => string | null,
  ) => string | null;
  assert.match(named()(placeOfCall) ?? "", /^huber\.strategy:\d+$/);
});

test.run();
