import { suite } from "uvu";
import * as assert from "uvu/assert";
import { noneAsked } from "../config/index.ts";
import type { NetworkInfo } from "../contract.ts";
import type { Run } from "./run-inputs.ts";
import { strategyTold } from "./strategy-told.ts";

const test = suite("what a run says of its strategy");

const told = (networks: readonly Pick<NetworkInfo, "name">[] | undefined) =>
  strategyTold({
    step: { strategy: { name: "s", sourceHash: "1", networks } },
    params: {},
    config: { runtime: { optimization: noneAsked } },
  } as unknown as Run);

test("networks are named, and left out where there are none", () => {
  assert.equal(told(undefined).networks, undefined);
  assert.equal(told([{ name: "decode" }, { name: "see" }]).networks, ["decode", "see"]);
});

test.run();
