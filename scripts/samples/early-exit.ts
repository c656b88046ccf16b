import { suite } from "uvu";
const test = suite("early exit");
test("one", () => process.exit(0));
test.run();
