import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cardNamed, cardOfDriver, cards, cardWords } from "./cards.ts";

const test = suite("cards");
const sizeOf = (text: string) => cardNamed(text)?.memoryGiB ?? null;

test("a card is found by what people call it, with or without its size", () => {
  const names = ["4090", "RTX 4090", "rtx4090", "NVIDIA GeForce RTX 4090", "4090 24GB", "4090-24"];
  for (const name of names) assert.is(cardNamed(name)?.name, "RTX 4090", name);
  for (const name of ["h100", "H100 SXM", "h100-80", "H100 SXM5 80GB"]) assert.is(cardNamed(name)?.name, "H100", name);
  assert.is(cardNamed("H100 PCIe")?.name, "H100 PCIe");
  assert.equal(["a100", "a100-40", "A100 40GB", "a100-80", "A100-SXM4-40GB"].map(sizeOf), [80, 40, 40, 80, 40]);
  for (const name of ["", "4095", "h10", "rtx", "a100-60", "4090 laptop"]) assert.is(cardNamed(name), null, name);
});

test("every word that is offered names a card of its own", () => {
  const found = cardWords.map((word) => cards.indexOf(cardNamed(word) as never));
  assert.equal(found, [...cards.keys()]);
});

test("a card of the driver is one of the table, unless it is another one of the same number", () => {
  assert.is(cardOfDriver("NVIDIA GeForce RTX 3090 Ti")?.bandwidthGBs, 1008);
  assert.is(cardOfDriver("NVIDIA GeForce RTX 4080 SUPER")?.float32, 52.2);
  for (const name of ["GeForce RTX 4070 Ti", "GeForce RTX 4090 Laptop GPU", "GeForce RTX 5090 D"])
    assert.is(cardOfDriver(name), null, name);
});

test("figures are of one size: products in bfloat16 are at least those in float32, and memory is faster than the bus", () => {
  for (const { name, bfloat16, float32, bandwidthGBs, busGBs } of cards) {
    assert.ok(bfloat16 === null || bfloat16 >= 1.9 * float32, name);
    assert.ok(bandwidthGBs > busGBs, name);
  }
});

test.run();
