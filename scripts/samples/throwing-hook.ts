import { suite } from "uvu";
const test = suite("throwing hook");
test.before(() => {
  throw new Error("from before");
});
test("one", () => {});
test.run();
