import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Message } from "./protobuf.ts";

const test = suite("protobuf");

test("fields are written as protobuf's own description has them", () => {
  const bytes = (message: Message) => [...message.encode()];
  assert.equal(bytes(new Message().int(1, 150)), [0x08, 0x96, 0x01]);
  assert.equal(bytes(new Message().string(2, "testing")), [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
  assert.equal(bytes(new Message().message(3, new Message().int(1, 150))), [0x1a, 0x03, 0x08, 0x96, 0x01]);
  assert.equal(bytes(new Message().int(1, -2)), [0x08, 0xfe, ...Array.from({ length: 8 }, () => 0xff), 0x01]);
  assert.equal(bytes(new Message().double(1, -2)), [0x09, 0, 0, 0, 0, 0, 0, 0, 0xc0]);
  assert.equal(bytes(new Message().float(2, 0.5)), [0x15, 0, 0, 0, 0x3f]);
  assert.equal(bytes(new Message().int(20, 7)), [0xa0, 0x01, 0x07]);
});

test.run();
