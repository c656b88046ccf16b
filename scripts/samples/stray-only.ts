import { suite } from "uvu";
const test = suite("stray only");
test("left out", () => {});
test.only("one", () => {});
test.run();
