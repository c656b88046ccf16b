import { suite } from "uvu";
const test = suite("passing");
test("one", () => {});
test.run();
