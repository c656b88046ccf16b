import { suite } from "uvu";
import * as assert from "uvu/assert";
import { TorchLibrary } from "../engine/torch/torch-library.ts";
import type { Graph } from "../graph/graph.ts";
import { testTorch } from "../testing/test-torch.ts";
import { bfloat16ToFloat32, float32ToBfloat16 } from "../files/number-formats.ts";
import { normal } from "../random/philox.ts";
import { groupOf, groupScales, wholeNumber } from "./group-scales.ts";
import { quantizations, quantizeRows } from "./quantize.ts";

const test = suite("weights in 8 bits");

const kinds = ["int8-quanto", "fp8-quanto"] as const;

/** Three rows; the second one has ties, the third one a large range. */
const weights = Float32Array.from([
  0.1, -0.25, 0.5, 1.0, -1.0, 0.0039, 0.3333, -0.7, 2.5, -127.0, 126.5, 0.5, 1.5, -0.5, 63.5, -2.5, 1e-3, -4e-4, 448.0,
  -447.0, 17.0, -19.0, 0.011, 0.0,
]);

/**
 * What PyTorch 2.13 makes of it: `s = w.abs().amax(1, keepdim=True) / largest; q = (w / s).to(type)`, rounded before for int8. The bytes of q,
 * and the bits of `q.float() * s`.
 */
const vectors: Readonly<
  Record<(typeof kinds)[number], readonly [data: readonly number[], widened: readonly number[]]>
> = {
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

for (const kind of kinds)
  test(`${kind}: the numbers are those of PyTorch, bit for bit`, () => {
    assert.equal([...quantizeRows(weights, 3, kind).data], vectors[kind][0]);
  });

/** A graph that widens the weights. */
function widening(kind: (typeof kinds)[number]): Graph {
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

/**
 * The same of 4 bits, two rows of 32, each one group: the bits of the weights; the bytes, `q = (w / s).round().clamp(-8, 7).to(torch.int8)`, two in
 * a byte; and the bits of `q * s`. Of the scales `s = (w[argmax(|w|)] * part / -8).to(bfloat16).float()` with the parts 1, 0.96, ... 0.72 each row has
 * the one with the least sum of `(w - q * s)**2`: 1, and 0.92.
 */
const grouped = {
  weights: [
    1054304932, 1055442871, 1032880579, -1094599217, -1091208176, -1106309236, 1051209798, 1056786069, 1045627186,
    -1098169096, -1090519204, -1098294056, 1045897250, 1056807026, 1051097412, -1106024432, -1091166683, -1094696781,
    1033468265, 1055504072, 1054224144, -1148123883, -1093099033, -1092103172, -1115191496, 1052981000, 1056232718,
    1040888874, -1096162327, -1090719836, -1102127610, 1049438797, 0, 1004939519, -1137621605, 1038090240, 1029701632,
    0, 1011647027, 1017156413, -1145442005, -1119743937, -2147483648, 946950334, 1018412017, 1024521613, 1005125073,
    -2147483648, -1135871669, -1142264276, 1020458649, 1028822544, 0, -1142336789, -1126892591, -1129694249, 1018474887,
    0, 1007274468, -1141316458, -1122384576, -1122020211, 0, 1011012915,
  ],
  bytes: [
    143, 175, 25, 114, 112, 6, 157, 159, 251, 100, 112, 36, 187, 143, 221, 70, 24, 23, 233, 192, 4, 24, 39, 38, 232, 12,
    248, 24, 54, 53, 7, 248,
  ],
  widened: [
    1054867456, 1054867456, 1031798784, -1094713344, -1090519040, -1107296256, 1050673152, 1054867456, 1044381696,
    -1098907648, -1090519040, -1098907648, 1044381696, 1054867456, 1050673152, -1107296256, -1090519040, -1094713344,
    1031798784, 1054867456, 1054867456, 0, -1092616192, -1092616192, -1115684864, 1052770304, 1054867456, 1040187392,
    -1096810496, -1090519040, -1103101952, 1048576000, -2147483648, 1011744768, -1135738880, 1036910592, 1028521984,
    -2147483648, 1011744768, 1020133376, -2147483648, -1118961664, -2147483648, -2147483648, 1020133376, 1025146880,
    1011744768, -2147483648, -1135738880, -1135738880, 1020133376, 1028521984, -2147483648, -1135738880, -1127350272,
    -1127350272, 1020133376, -2147483648, 1011744768, -1135738880, -1122336768, -1122336768, -2147483648, 1011744768,
  ],
};
const groupedWeights = new Float32Array(Int32Array.from(grouped.weights).buffer);

test("int4-quanto: the numbers are those of PyTorch, bit for bit", () => {
  assert.equal([...quantizeRows(groupedWeights, 2, "int4-quanto").data], grouped.bytes);
});

test("in 4 bits up to 128 numbers share a scale, and not fewer than 16", () => {
  assert.equal([4096, 128, 192, 96, 48, 24, 7].map(groupOf), [128, 128, 64, 32, 16, 0, 0]);
  const { data, scales } = quantizeRows(new Float32Array(2 * 256).fill(1), 2, "int4-quanto");
  assert.equal([data.length, scales.length], [256, 4]);
});

if (found !== null) {
  const library = new TorchLibrary({ folder: found.folder, device: "cpu" });
  test("int4-quanto: the engine torch widens them to the same bits, and to bfloat16 as they are rounded once", () => {
    const { data, scales } = quantizeRows(groupedWeights, 2, "int4-quanto");
    const before = library.torch.alive;
    const widened = (to: number, dtype: "float32" | "bfloat16") => {
      const session = library.open({
        inputs: [],
        initializers: [
          { name: "w", shape: [2, 16], dtype: "int8", bytes: data },
          { name: "s", shape: [2, 1], dtype: "bfloat16", bytes: new Uint8Array(float32ToBfloat16(scales).buffer) },
        ],
        nodes: [
          {
            op: "Dequantize",
            inputs: ["w", "s"],
            outputs: [{ name: "own", shape: [2, 32], dtype }],
            attributes: { to, group: 32 },
          },
          {
            op: "Cast",
            inputs: ["own"],
            outputs: [{ name: "wide", shape: [2, 32], dtype: "float32" }],
            attributes: { to: 1 },
          },
        ],
        outputs: ["wide"],
      });
      const [wide] = library.run(session, []);
      if (wide === undefined) throw new Error("no result");
      const { data: numbers } = library.read(wide);
      library.free(wide);
      library.close(session);
      return numbers;
    };
    assert.equal([...new Int32Array(widened(1, "float32").buffer)], grouped.widened);
    const exact = new Float32Array(Int32Array.from(grouped.widened).buffer);
    assert.equal([...widened(16, "bfloat16")], [...bfloat16ToFloat32(float32ToBfloat16(exact))]);
    assert.is(library.torch.alive, before);
  });
}

/** What rounding in 4 bits changes of normally distributed weights with groups of 128, as a part of their size. */
function errorOf(scaleOf: (group: Float32Array) => number): number {
  const values = normal({ seed: 0, step: 0, microBatch: 0, name: "w" }, 128 * 256);
  let [changed, size] = [0, 0];
  for (let at = 0; at < values.length; at += 128) {
    const scale = scaleOf(values.subarray(at, at + 128));
    for (const x of values.subarray(at, at + 128)) {
      changed += (x - wholeNumber(x / scale, -8, 7) * scale) ** 2;
      size += x ** 2;
    }
  }
  return Math.sqrt(changed / size);
}

test("in 4 bits the scales round less than those that clip nothing", () => {
  const most = (group: Float32Array) => group.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
  const [own, plain] = [errorOf((group) => groupScales(group, 128)[0] ?? NaN), errorOf((group) => most(group) / 7)];
  assert.ok(own < 0.098, `${own}`);
  assert.ok(plain > 0.115, `${plain}`);
});

test("in 4 bits zeros stay zeros, and numbers that no bfloat16 is small enough for get a finite scale", () => {
  const [zeros, small] = [0, 2 ** -149].map((x) => quantizeRows(new Float32Array(32).fill(x), 1, "int4-quanto"));
  assert.equal([zeros?.scales[0], ...new Set(zeros?.data)], [1, 8]);
  assert.ok(Math.abs(small?.scales[0] ?? NaN) < 2 ** -125);
});

test("a row of zeros stays one", () => {
  const { data, scales } = quantizeRows(new Float32Array(4), 2, "int8-quanto");
  assert.equal([...data, ...scales], [0, 0, 0, 0, 1, 1]);
});

test.run();
