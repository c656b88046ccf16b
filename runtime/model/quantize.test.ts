import { suite } from "uvu";
import * as assert from "uvu/assert";
import { TorchLibrary } from "../engine/torch/torch-library.ts";
import type { Graph } from "../graph/graph.ts";
import { testTorch } from "../testing/test-torch.ts";
import { quantizations, quantizeRows, type Quantization } from "./quantize.ts";

const test = suite("weights in 8 bits");

/** Three rows; the second one has ties, the third one a large range. */
const weights = Float32Array.from([
  0.1, -0.25, 0.5, 1.0, -1.0, 0.0039, 0.3333, -0.7, 2.5, -127.0, 126.5, 0.5, 1.5, -0.5, 63.5, -2.5, 1e-3, -4e-4, 448.0,
  -447.0, 17.0, -19.0, 0.011, 0.0,
]);

/**
 * What PyTorch 2.13 makes of it: `s = w.abs().amax(1, keepdim=True) / largest; q = (w / s).to(type)`, rounded before for int8. The bytes of q,
 * and the bits of `q.float() * s`.
 */
const vectors: Readonly<Record<Quantization, readonly [data: readonly number[], widened: readonly number[]]>> = {
  "int8-quanto": [
    [13, 224, 64, 127, 129, 0, 42, 167, 2, 129, 126, 0, 2, 0, 64, 254, 0, 0, 127, 129, 5, 251, 0, 0],
    [
      1037148998, -1098841596, 1057030660, 1065353216, -1082130432, 0, 1051284133, -1087150386, 1073741824, -1023541248,
      1123811328, 0, 1073741824, 0, 1115684864, -1073741824, 0, 0, 1138753536, -1008730112, 1099766324, -1047717324, 0,
      0,
    ],
  ],
  "fp8-quanto": [
    [99, 238, 118, 126, 254, 62, 113, 250, 81, 254, 126, 62, 75, 190, 118, 209, 1, 128, 126, 254, 88, 218, 6, 0],
    [
      1036592275, -1098907648, 1056964608, 1065353216, -1082130432, 998244352, 1050972746, -1086923922, 1076054308,
      -1023541248, 1123942400, 1056833536, 1070043721, -1090650112, 1115553792, -1071429340, 989855744, -2147483648,
      1138753536, -1008730112, 1098907648, -1046478848, 1010827264, 0,
    ],
  ],
};

const kinds = ["int8-quanto", "fp8-quanto"] as const;

for (const kind of kinds)
  test(`${kind}: the numbers are those of PyTorch, bit for bit`, () => {
    assert.equal([...quantizeRows(weights, 3, kind).data], vectors[kind][0]);
  });

/** A graph that widens the weights. */
function widening(kind: Quantization): Graph {
  const { data, scales } = quantizeRows(weights, 3, kind);
  const { dtype } = quantizations[kind];
  return {
    inputs: [],
    initializers: [
      { name: "w", shape: [3, 8], dtype, bytes: data },
      { name: "s", shape: [3, 1], dtype: "float32", bytes: new Uint8Array(scales.buffer) },
    ],
    nodes: [
      {
        op: "Dequantize",
        inputs: ["w", "s"],
        outputs: [{ name: "wide", shape: [3, 8], dtype: "float32" }],
        attributes: { to: 1 },
      },
    ],
    outputs: ["wide"],
  };
}

const found = await testTorch();
if (found !== null) {
  const library = new TorchLibrary({ folder: found.folder, device: "cpu" });
  for (const kind of kinds)
    test(`${kind}: the engine torch widens them to the same bits`, () => {
      const session = library.open(widening(kind));
      const [wide] = library.run(session, []);
      if (wide === undefined) throw new Error("no result");
      const { data } = library.read(wide);
      assert.equal([...new Int32Array(data.buffer)], vectors[kind][1]);
      library.free(wide);
      library.close(session);
    });
}

test("a row of zeros stays one", () => {
  const { data, scales } = quantizeRows(new Float32Array(4), 2, "int8-quanto");
  assert.equal([...data, ...scales], [0, 0, 0, 0, 1, 1]);
});

test.run();
