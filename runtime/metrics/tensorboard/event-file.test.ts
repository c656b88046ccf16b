import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { StepEvent, TrainEvent } from "../events.ts";
import { crc32c, maskedCrc32c } from "./crc32c.ts";
import { openEventFile } from "./event-file.ts";

const test = suite<{ folder: string }>("tensorboard");
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), "ltxc-tensorboard-"));
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

/** A message as its fields: numbers for varints, bytes for the rest. Written from the format's description, apart from the writer. */
function fields(data: Buffer): [field: number, value: number | Buffer][] {
  const found: [number, number | Buffer][] = [];
  let at = 0;
  const varint = (): number => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = data.readUInt8(at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const take = (count: number): Buffer => data.subarray(at, (at += count));
  while (at < data.length) {
    const key = varint();
    const wire = key & 7;
    const value = wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : varint());
    found.push([key >> 3, value]);
  }
  return found;
}

/** Bit by bit, without a table. */
function slowChecksum(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  const value = BigInt((crc ^ 0xffffffff) >>> 0);
  return Number((((value >> 15n) | (value << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

function records(file: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    assert.is(file.readUInt32LE(at + 8), slowChecksum(file.subarray(at, at + 8)));
    assert.is(file.readUInt32LE(at + 12 + length), slowChecksum(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

const buffer = (value: number | Buffer | undefined): Buffer => {
  if (!Buffer.isBuffer(value)) throw new Error("not a field with bytes");
  return value;
};

/** An event file as plain data. */
function decode(path: string) {
  return records(readFileSync(path)).map((data) => {
    const event = new Map(fields(data));
    const summary = event.get(5);
    const values =
      summary === undefined ? [] : fields(buffer(summary)).map(([, value]) => new Map(fields(buffer(value))));
    return {
      wallTime: buffer(event.get(1)).readDoubleLE(),
      step: event.get(2) ?? 0,
      version: event.has(3) ? buffer(event.get(3)).toString() : null,
      start: event.has(7) ? fields(buffer(event.get(7))) : null,
      scalars: values.map((value) => [buffer(value.get(1)).toString(), buffer(value.get(2)).readFloatLE()]),
    };
  });
}

const step = (globalStep: number): StepEvent => ({
  type: "step",
  globalStep,
  steps: 1000,
  loss: 0.75,
  terms: { "video λ": 0.5, audio: 0.25 },
  sigmaBuckets: { "0.25-0.50": 0.125 },
  learningRate: 0.5,
  gradNorm: 2,
  secondsPerStep: 0.25,
  samples: ["a.pt"],
  samplesPerSecond: 8,
  tokensPerSecond: 6144,
  flopsPerSecond: 4e14,
  mfu: 0.4,
  gpu: { name: "NVIDIA H100", memoryBytes: 5e10, memoryTotalBytes: 8e10, utilization: 0.5 },
  waitSeconds: 0,
  peakMemoryBytes: 1,
  etaSeconds: null,
});

const started = (globalStep: number): TrainEvent => ({
  type: "started",
  globalStep,
  steps: 1000,
  strategy: "s",
  sourceHash: "",
  params: {},
  engine: "cpu",
  environment: { ltxc: "", node: "", platform: "", processor: "", cores: 1, memoryBytes: 1 },
  time: "",
  samples: 5,
  trainableParameters: 1,
  trainingState: "full",
  loaded: null,
  outputDirectory: "outputs",
});

/** RFC 3720, appendix B.4. */
const vectors: readonly (readonly [bytes: Uint8Array, crc: number])[] = [
  [new Uint8Array(32), 0x8a9136aa],
  [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  [Buffer.from("123456789"), 0xe3069283],
];

test("CRC-32C gives the published values, and is masked as the format says", () => {
  for (const [bytes, crc] of vectors) {
    assert.is(crc32c(bytes), crc);
    assert.is(maskedCrc32c(bytes), slowChecksum(Buffer.from(bytes)));
  }
});

test("a file begins with its version and has one event per step, with each scalar under its name", ({ folder }) => {
  const file = openEventFile(folder, () => 1_700_000_000_500);
  assert.is(file.write(started(0)), null);
  assert.is(file.write(step(300)), null);
  file.close();
  const [name = "", ...others] = readdirSync(folder);
  assert.match(name, /^events\.out\.tfevents\.1700000000\./);
  assert.equal(others, []);
  const event = { wallTime: 1_700_000_000.5, version: null, start: null };
  assert.equal(decode(join(folder, name)), [
    { ...event, step: 0, version: "brain.Event:2", scalars: [] },
    { ...event, step: 0, start: [[1, 1]], scalars: [] },
    {
      ...event,
      step: 300,
      scalars: [
        ["train/loss", 0.75],
        ["train/loss_video λ", 0.5],
        ["train/loss_audio", 0.25],
        ["train/loss_sigma_0.25-0.50", 0.125],
        ["train/learning_rate", 0.5],
        ["train/grad_norm", 2],
        ["train/step_time", 0.25],
        ["train/samples_per_second", 8],
        ["train/tokens_per_second", 6144],
        ["train/mfu", Math.fround(0.4)],
        ["train/gpu_memory_gb", 50],
        ["train/gpu_utilization", 0.5],
      ],
    },
  ]);
});

test("a resumed run writes another file, which voids the steps that it does again", ({ folder }) => {
  for (const begin of [0, 200]) {
    const file = openEventFile(folder, () => 1_700_000_000_000);
    file.write(started(begin));
    file.write(step(begin + 1));
    file.close();
  }
  const [first = "", second = "", ...others] = readdirSync(folder).toSorted();
  assert.equal(others, []);
  assert.equal(
    decode(join(folder, first)).map((event) => event.step),
    [0, 0, 1],
  );
  const [version, start, scalars] = decode(join(folder, second));
  assert.is(version?.version, "brain.Event:2");
  assert.equal([start?.step, start?.start], [201, [[1, 1]]]);
  assert.is(scalars?.step, 201);
});

test("a folder that can not be made is said once and ends nothing", ({ folder }) => {
  writeFileSync(join(folder, "occupied"), "");
  const file = openEventFile(join(folder, "occupied"));
  assert.match(file.write(started(0)) ?? "", "EEXIST");
  assert.is(file.write(step(1)), null);
  file.close();
});

test.run();
