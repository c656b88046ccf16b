import { suite } from "uvu";
const test = suite("forgotten run");
test("one", () => {});
