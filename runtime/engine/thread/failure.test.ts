import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../../findings.ts";
import { DeviceEndedError, DeviceError } from "../recording/device.ts";
import { readFailure } from "../onnx/failure.ts";
import { explainFailure, explainFault } from "./failure.ts";
import { CHANGED } from "./mapped-files.ts";

const test = suite("failures of the thread");
const explain = explainFailure(readFailure);
const codes = (error: unknown) => {
  const explained = explain(error, () => null);
  return explained instanceof FindingsError ? explained.findings.map(({ code }) => code) : explained;
};

test("a thread that ended, a model that changed and a graph that failed are findings", () => {
  assert.equal(codes(new DeviceEndedError("exit code 1")), ["LTX7042"]);
  assert.equal(codes(new DeviceError(`/models/a.safetensors ${CHANGED}`, 3)), ["LTX7043"]);
  assert.equal(codes(new DeviceError("Status Message: no", 3)), ["LTX7030"]);
});

test("a thread that ended after a model had changed says which", () => {
  assert.equal(codes(new DeviceEndedError(`/models/a.safetensors ${CHANGED}`)), ["LTX7043"]);
});

test("memory that can not be read names the file that changed, or those that are mapped", () => {
  const files = ["/models/a.safetensors"];
  const changed = explainFault({ change: `/models/a.safetensors ${CHANGED}`, files });
  assert.equal([changed.code, changed.message], ["LTX7043", `/models/a.safetensors ${CHANGED}`]);
  const { code, message } = explainFault({ change: null, files });
  assert.is(code, "LTX6160");
  assert.match(message, "/models/a.safetensors");
});

test("an error of no graph is left as it is: a bug", () => {
  const error = new DeviceError("a value is used that does not exist", null);
  assert.is(codes(error), error);
});

test.run();
