import { suite } from "uvu";
import { fuzz } from "./fuzz.ts";

const test = suite("fuzz");

test("mutated strategies never throw, and every finding lies inside its file", () => fuzz(400));

test.run();
