import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mayHaveNvidiaGpu } from "./nvidia-gpu.ts";

const test = suite("NVIDIA GPUs");

test("only Linux without the driver's devices has none for certain", () => {
  const having = (device: string) => (path: string) => path === device;
  assert.is(mayHaveNvidiaGpu("linux", having("/dev/nvidiactl")), true);
  assert.is(mayHaveNvidiaGpu("linux", having("/dev/dxg")), true);
  assert.is(mayHaveNvidiaGpu("linux", having("/dev/null")), false);
  assert.is(mayHaveNvidiaGpu("win32", having("/dev/null")), true);
});

test.run();
