/** Hostile inputs of readers of files: changed samples, and grown ones whose outside is right so that more of a reader has to work. */
import fc from "fast-check";
import { byteEdits, edited } from "../runtime/testing/byte-edits.ts";
import { zipStored } from "../runtime/files/pt/zip-writer.ts";

export type Bytes = fc.Arbitrary<Buffer>;

const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const placeIn = (length: number, at: number): number => Math.floor(at * length);

/** Flips of single bits. */
const flipped = (file: Buffer): Bytes =>
  fc.array(fc.tuple(share, fc.nat(7)), { minLength: 1, maxLength: 8 }).map((flips) => {
    const copy = Buffer.from(file);
    for (const [at, bit] of flips) {
      const place = placeIn(copy.length, at);
      copy[place] = (copy[place] ?? 0) ^ (1 << bit);
    }
    return copy;
  });

const cutOff = (file: Buffer): Bytes => share.map((at) => file.subarray(0, placeIn(file.length, at)));

/** The beginning of one file and the end of another. */
const spliced = (files: readonly Buffer[]): Bytes =>
  fc.tuple(fc.constantFrom(...files), share, fc.constantFrom(...files), share).map(([a, to, b, from]) => {
    return Buffer.concat([a.subarray(0, placeIn(a.length, to)), b.subarray(placeIn(b.length, from))]);
  });

/** Numbers at the limits of fields of one to eight bytes. */
const limits = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff];
const fields = (file: Buffer): Bytes =>
  fc.array(fc.tuple(share, fc.constantFrom(...limits), fc.boolean()), { minLength: 1, maxLength: 4 }).map((all) => {
    const copy = Buffer.from(file);
    for (const [at, value, isLong] of all) {
      const place = placeIn(Math.max(1, copy.length - 8), at);
      if (copy.length < place + 8) continue;
      if (isLong) copy.writeBigUInt64LE(BigInt(value) * 0x80000001n, place);
      else copy.writeUInt32LE(value, place);
    }
    return copy;
  });

/** Samples with bits flipped, parts taken out, put in, cut off or exchanged. */
export function mutated(samples: readonly Buffer[]): Bytes {
  const files = samples.filter(({ length }) => length > 0);
  return fc.oneof(
    ...files.flatMap((file) => [
      flipped(file),
      byteEdits(file).map((edits) => edited(file, edits)),
      cutOff(file),
      fields(file),
    ]),
    spliced(files),
  );
}

const deep = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth);

/** Texts that are no more than nesting, repetition or size. */
export const hostileTexts: Bytes = fc
  .constantFrom(
    deep("[", "]", 50_000),
    deep('{"a":', "}", 20_000),
    "[".repeat(100_000),
    '{"type":"step","globalStep":1,"terms":'.concat(deep("[", "]", 20_000), "}"),
    "a: ".repeat(2000),
    "- ".repeat(20_000),
    "&a [*a, *a]",
    `x: ${deep("[", "]", 5000)}`,
    `x: ${deep("{a: ", "}", 5000)}`,
    `${Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [${i === 0 ? "1" : `*a${i - 1}, *a${i - 1}`}]`).join("\n")}`,
    "\u0000".repeat(1000),
    "x".repeat(2 ** 20),
    "\n".repeat(2 ** 18),
  )
  .map((text) => Buffer.from(text));

/** Values of JSON that readers may trip over. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    0,
    -0,
    -1,
    1,
    0.5,
    2 ** 31,
    2 ** 53,
    1e300,
    -1e300,
    1e9,
    null,
    true,
    "",
    "__proto__",
    "F32",
    "\u0000",
    [],
    {},
  ),
  fc.constantFrom<unknown>(
    "x".repeat(5000),
    [[[]]],
    [0, 0],
    [2 ** 40, 2 ** 40],
    Array.from({ length: 300 }, () => 1),
    { __proto__: null },
  ),
  fc.jsonValue({ maxDepth: 2 }),
  fc.integer(),
);

const keys = fc.constantFrom("__proto__", "constructor", "toString", "length", "", "0", "type", "__metadata__", "path");

interface TreeEdit {
  readonly at: number;
  readonly action: "replace" | "delete" | "copy" | "add" | "wrap";
  readonly value: unknown;
  readonly key: string;
}

const treeEdit: fc.Arbitrary<TreeEdit> = fc.record({
  at: share,
  action: fc.constantFrom("replace", "replace", "delete", "copy", "add", "wrap"),
  value: hostile,
  key: keys,
});

type Parent = Record<string, unknown>;

function places(root: unknown): readonly (readonly [Parent, string])[] {
  const found: (readonly [Parent, string])[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || found.length > 5000) return;
    for (const key of Object.keys(value)) {
      found.push([value as Parent, key]);
      visit((value as Parent)[key]);
    }
  };
  visit(root);
  return found;
}

function applied(root: unknown, edits: readonly TreeEdit[]): unknown {
  const holder: Parent = { root: structuredClone(root) };
  for (const { at, action, value, key } of edits) {
    const all = places(holder);
    const [parent, name] = all[placeIn(all.length, at)] ?? [holder, "root"];
    // Values are shared by the inputs, and may be put into themselves.
    if (action === "replace") parent[name] = structuredClone(value);
    else if (action === "delete") delete parent[name];
    else if (action === "add" && !Array.isArray(parent))
      Object.defineProperty(parent, key, {
        value: structuredClone(value),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    else if (action === "wrap" || action === "add") parent[name] = [parent[name]];
    else parent[name] = structuredClone(all[placeIn(all.length, (at * 7) % 1)]?.[0]);
  }
  return holder["root"];
}

/** Values of JSON that are like one of the samples, with a few parts replaced, deleted, exchanged or added. */
export const trees = (samples: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc
    .tuple(fc.constantFrom(...samples), fc.array(treeEdit, { minLength: 1, maxLength: 4 }))
    .map(([root, edits]) => applied(root, edits));

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

/** Every instruction of pickles with a sound argument, and some with one that is not. */
const instructions: fc.Arbitrary<Buffer> = fc.oneof(
  fc.nat(255).map((byte) => Buffer.of(byte)),
  fc.constantFrom(...[..."(().0N\x88\x89})]ttuseabQRR\x85\x86\x87\x94"].map(latin1)),
  fc
    .constantFrom(
      "ctorch._utils\n_rebuild_tensor_v2\n",
      "ctorch\nFloatStorage\n",
      "ccollections\nOrderedDict\n",
      "cos\nsystem\n",
    )
    .map(latin1),
  fc
    .constantFrom("storage", "0", "cpu", "latents", "builtins")
    .map((text) => latin1(`X${String.fromCharCode(text.length)}\0\0\0${text}`)),
  fc
    .tuple(fc.constantFrom("K", "q", "h"), fc.nat(255))
    .map(([op, value]) => Buffer.concat([latin1(op), Buffer.of(value)])),
  fc.tuple(fc.constantFrom("J", "r", "j", "X", "B", "\x8b"), fc.constantFrom(...limits)).map(([op, value]) => {
    const field = Buffer.alloc(5, op, "latin1");
    field.writeUInt32LE(value, 1);
    return field;
  }),
  fc
    .tuple(fc.constantFrom("\x95", "\x8d", "\x8e", "G"), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
    .map(([op, value]) => {
      const field = Buffer.alloc(9, op, "latin1");
      field.writeBigUInt64LE(value, 1);
      return field;
    }),
  fc
    .constantFrom(
      "(".repeat(200_000),
      "]q\0h\0a".repeat(300),
      "]".repeat(2000) + "a".repeat(1999),
      "}K\x01".concat("K\x02s".repeat(500)),
    )
    .map(latin1),
);

/** A tensor that is right but for its numbers. */
const tensor: fc.Arbitrary<Buffer> = fc
  .tuple(...Array.from({ length: 4 }, () => fc.oneof(fc.nat(8), fc.constantFrom(...limits))))
  .map(([length = 0, offset = 0, size = 0, stride = 0]) => {
    const number = (value: number) => {
      const field = Buffer.alloc(5, "J");
      field.writeUInt32LE(value, 1);
      return field.toString("latin1");
    };
    const storage = `(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu${number(length)}tQ`;
    return latin1(
      `ctorch._utils\n_rebuild_tensor_v2\n(${storage}${number(offset)}(${number(size)}t(${number(stride)}t\x89ccollections\nOrderedDict\n)RtR`,
    );
  });

const pickles: Bytes = fc
  .array(fc.oneof(instructions, instructions, tensor), { maxLength: 30 })
  .map((parts) => Buffer.concat([latin1("\x80\x02"), ...parts, latin1(".")]));

/** Archives that are sound, with descriptions that need not be, and with members whose names may be odd. */
export const archives: Bytes = fc
  .tuple(
    fc.oneof(
      pickles,
      tensor.map((one) => Buffer.concat([latin1("\x80\x02}X\x01\0\0\0a"), one, latin1("s.")])),
    ),
    fc.nat(64),
    fc.array(fc.constantFrom("a/data/0", "a/byteorder", "a/data.pkl", "b/data.pkl", "../x", ""), { maxLength: 3 }),
  )
  .map(([data, size, names]) => {
    const more = names.map((name) => ({ name, data: Buffer.alloc(size, 1) }));
    return Buffer.concat(zipStored([{ name: "a/data.pkl", data }, ...more]));
  });
