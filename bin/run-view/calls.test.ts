import { suite } from "uvu";
import * as assert from "uvu/assert";
import { callsText } from "./calls.ts";

const test = suite("calls of the model in a step");

test("passes are named, those without gradients by themselves", () => {
  assert.is(callsText(undefined), null);
  assert.is(callsText([]), null);
  const [lose, ref] = [{ name: "lose", weights: "trained" } as const, { name: "ref", weights: "base" } as const];
  assert.is(callsText([lose]), "2 calls of the model in a step: the step's own, lose");
  assert.is(callsText([lose, ref]), "3 calls of the model in a step: the step's own, lose; without gradients ref");
});

test.run();
