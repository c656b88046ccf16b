// Programs that break a rule, each made from one that is right, are refused with what is wrong.
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { literal, poisoned, tensor, type Core } from "../2-check/core.ts";
import { check } from "../index.ts";
import type { Program, Statement } from "./program.ts";
import { verify } from "./verify.ts";

const test = suite("verify");
const path = new URL("../builtin/inpainting.strategy", import.meta.url);

function inpainting(): Program {
  const { program } = check({ path: "inpainting.strategy", text: readFileSync(path, "utf8") });
  if (program === null) throw new Error("inpainting does not compile");
  return program;
}

const program = inpainting();
const clean: Core = {
  op: "ref",
  key: "video.clean",
  type: tensor("f32", ["batch", "token:video", "channel"]),
  span: null,
};
const statement = (core: Core): Statement => ({ key: "broken", core, span: null });
const preparing = (core: Core): Program => ({ ...program, prepare: [...program.prepare, statement(core)] });
const perSample = tensor("f32", ["batch"]);

test("a program that the compiler made passes", () => {
  verify(program);
});

test("a value used before it is defined", () => {
  const prepare = program.prepare.filter(({ key }) => key !== "inpaint");
  assert.throws(() => verify({ ...program, prepare }), /inpaint is used before it is defined/);
});

test("a value defined twice", () => {
  assert.throws(
    () => verify({ ...program, prepare: [...program.prepare, ...program.prepare.slice(0, 1)] }),
    /video\.sigma is defined twice/,
  );
});

test("a value that the loss needs and nobody prepares", () => {
  assert.throws(() => verify({ ...program, values: [...program.values, "nobody"] }), /the loss needs nobody/);
});

test("a value of other axes than it was defined with", () => {
  assert.throws(() => verify(preparing({ ...clean, type: perSample })), /video\.clean has other axes/);
});

test("an axis that comes twice", () => {
  const type = tensor("f32", ["batch", "batch"]);
  assert.throws(() => verify(preparing({ ...literal(1), type })), /an axis twice in \[batch, batch\]/);
});

test("a reported mistake", () => {
  assert.throws(() => verify(preparing(poisoned(null))), /a reported mistake reached the program/);
});

test("an operation that loses an axis of an operand", () => {
  const core: Core = { op: "map", fn: "abs", args: [clean], type: perSample, span: null };
  assert.throws(() => verify(preparing(core)), /abs loses the axis token:video/);
});

test("a reduction over an axis that is not there, or that stays", () => {
  const over = (axes: readonly string[]): Core => ({
    op: "reduce",
    fn: "mean",
    arg: clean,
    axes,
    type: perSample,
    span: null,
  });
  assert.throws(() => verify(preparing(over(["step"]))), /mean over \[step\]/);
  assert.throws(() => verify(preparing(over(["batch"]))), /mean over \[batch\]/);
});

test("a weight over an axis that the error has not", () => {
  const weight: Core = { ...literal(1), type: tensor("f32", ["batch", "frame"]) };
  const core: Core = {
    op: "maskedMean",
    error: clean,
    weights: [weight],
    overAll: false,
    type: perSample,
    span: null,
  };
  assert.throws(() => verify(preparing(core)), /a weight over frame/);
});

test.run();
