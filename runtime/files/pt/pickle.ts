import type { StorageType } from "../../contract.ts";
import { rebuildTensor } from "./rebuild.ts";
import { PtTensor, type PtStorage, type PtValue, type Refuse } from "./value.ts";

/** Real files need a few hundred bytes and a stack of tens; these bound what a hostile one can cost. */
export const MAX_PICKLE_BYTES = 4_000_000;
const MAX_STACK = 100_000;
const MAX_DEPTH = 100;

const storageTypes: ReadonlyMap<string, StorageType> = new Map([
  ["torch DoubleStorage", "float64"],
  ["torch FloatStorage", "float32"],
  ["torch HalfStorage", "float16"],
  ["torch BFloat16Storage", "bfloat16"],
  ["torch LongStorage", "int64"],
  ["torch IntStorage", "int32"],
  ["torch ShortStorage", "int16"],
  ["torch CharStorage", "int8"],
  ["torch ByteStorage", "uint8"],
  ["torch BoolStorage", "bool"],
]);
const REBUILD = "torch._utils _rebuild_tensor_v2";
const ORDERED_DICT = "collections OrderedDict";

/** A name that the file may mention; nothing is ever imported or called by name. */
class Global {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}
const MARK: unique symbol = Symbol("mark");
/** A storage on its way into a tensor. */
class StorageRef {
  readonly storage: PtStorage;
  constructor(storage: PtStorage) {
    this.storage = storage;
  }
}

type Item = PtValue | Global | typeof MARK | StorageRef | Item[] | Map<Item, Item>;

interface Unpickled {
  readonly value: PtValue;
  /** Bytes consumed. */
  readonly end: number;
  readonly storages: ReadonlyMap<string, PtStorage>;
}

/**
 * Reads one pickle. Only plain values and tensors are understood; no code of the file is executed.
 * Errors: FindingsError LTX6111 (broken), LTX6112 (a forbidden name or instruction), LTX6113 (beyond a limit), LTX6114 (impossible tensor).
 */
export function unpickle(bytes: Uint8Array, refuse: Refuse, start = 0): Unpickled {
  const machine = new Machine(bytes, refuse, start);
  const value = machine.run();
  checkDepth(value, refuse);
  return { value, end: machine.at, storages: machine.storages };
}

class Machine {
  at: number;
  readonly storages = new Map<string, PtStorage>();
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #refuse: Refuse;
  readonly #limit: number;
  readonly #stack: Item[] = [];
  readonly #memo = new Map<number, Item>();

  constructor(bytes: Uint8Array, refuse: Refuse, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#refuse = refuse;
    this.at = start;
    this.#limit = Math.min(bytes.length, start + MAX_PICKLE_BYTES);
  }

  run(): PtValue {
    for (;;) {
      const opcode = this.#view.getUint8(this.#take(1));
      if (opcode === 0x2e) return this.#plain(this.#pop());
      this.#step(opcode);
      if (this.#stack.length > MAX_STACK) this.#refuse("LTX6113", "its description nests or lists too much");
    }
  }

  #take(count: number): number {
    const from = this.at;
    if (from + count > this.#limit) this.#broken("its description ends too early");
    this.at += count;
    return from;
  }

  #broken(why: string): never {
    return this.#refuse("LTX6111", why);
  }

  #pop(): Item {
    const item = this.#stack.pop();
    return item === undefined || item === MARK ? this.#broken("its description is damaged") : item;
  }

  #popToMark(): Item[] {
    const mark = this.#stack.findLastIndex((item) => item === MARK);
    if (mark < 0) this.#broken("its description is damaged");
    return this.#stack.splice(mark).slice(1);
  }

  #top(): Item {
    return this.#stack.at(-1) ?? this.#broken("its description is damaged");
  }

  #text(length: number): string {
    const from = this.#take(length);
    return Buffer.from(this.#bytes.subarray(from, from + length)).toString("utf8");
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.at);
    if (end < 0 || end - this.at > 200) return this.#broken("its description has an endless name");
    const text = this.#text(end - this.at);
    this.at = end + 1;
    return text;
  }

  #u8 = () => this.#view.getUint8(this.#take(1));
  #u32 = () => this.#view.getUint32(this.#take(4), true);

  #step(opcode: number): void {
    const instruction = this.#instructions.get(opcode);
    if (instruction !== undefined) return instruction();
    const shown = `0x${opcode.toString(16)}`;
    this.#refuse(
      "LTX6112",
      `its description has the instruction ${shown}, which no data file needs; nothing was executed`,
    );
  }

  /** The instructions that data files are written with, by their byte; every other one is refused. */
  readonly #instructions: ReadonlyMap<number, () => void> = new Map([
    [0x80, () => this.#protocol()], // PROTO
    [0x95, () => void this.#take(8)], // FRAME
    [0x28, () => this.#push(MARK)], // MARK
    [0x30, () => void this.#stack.pop()], // POP
    [0x4e, () => this.#push(null)], // NONE
    [0x88, () => this.#push(true)], // NEWTRUE
    [0x89, () => this.#push(false)], // NEWFALSE
    [0x4a, () => this.#push(this.#view.getInt32(this.#take(4), true))], // BININT
    [0x4b, () => this.#push(this.#u8())], // BININT1
    [0x4d, () => this.#push(this.#view.getUint16(this.#take(2), true))], // BININT2
    [0x8a, () => this.#push(this.#long(this.#u8()))], // LONG1
    [0x47, () => this.#push(this.#view.getFloat64(this.#take(8)))], // BINFLOAT
    [0x58, () => this.#push(this.#text(this.#u32()))], // BINUNICODE
    [0x8c, () => this.#push(this.#text(this.#u8()))], // SHORT_BINUNICODE
    [0x7d, () => this.#push(new Map<Item, Item>())], // EMPTY_DICT
    [0x5d, () => this.#push([])], // EMPTY_LIST
    [0x29, () => this.#push([])], // EMPTY_TUPLE
    [0x74, () => this.#push(this.#popToMark())], // TUPLE
    [0x85, () => this.#push(this.#popMany(1))], // TUPLE1
    [0x86, () => this.#push(this.#popMany(2))], // TUPLE2
    [0x87, () => this.#push(this.#popMany(3))], // TUPLE3
    [0x61, () => this.#append(this.#popMany(1))], // APPEND
    [0x65, () => this.#append(this.#popToMark())], // APPENDS
    [0x73, () => this.#set(this.#popMany(2))], // SETITEM
    [0x75, () => this.#set(this.#popToMark())], // SETITEMS
    [0x68, () => this.#recall(this.#u8())], // BINGET
    [0x6a, () => this.#recall(this.#u32())], // LONG_BINGET
    [0x71, () => this.#remember(this.#u8())], // BINPUT
    [0x72, () => this.#remember(this.#u32())], // LONG_BINPUT
    [0x94, () => this.#remember(this.#memo.size)], // MEMOIZE
    [0x63, () => this.#push(this.#global(this.#line(), this.#line()))], // GLOBAL
    [0x93, () => this.#stackGlobal()], // STACK_GLOBAL
    [0x52, () => this.#reduce()], // REDUCE
    [0x51, () => this.#push(this.#storage(this.#pop()))], // BINPERSID
  ]);

  #protocol(): void {
    if (this.#u8() > 5) this.#broken("its description is of an unknown version");
  }

  #push(item: Item): void {
    this.#stack.push(item);
  }

  /** The last `count` items, in the order in which they were pushed. */
  #popMany(count: number): Item[] {
    return Array.from({ length: count }, () => this.#pop()).toReversed();
  }

  #remember(index: number): void {
    this.#memo.set(index, this.#top());
  }

  #stackGlobal(): void {
    const [module, name] = this.#popMany(2);
    // Turning a list into text could take forever: lists may share lists.
    if (typeof name !== "string" || typeof module !== "string") return this.#broken("its description is damaged");
    this.#push(this.#global(module, name));
  }

  /** Little-endian two's complement. */
  #long(length: number): number | bigint {
    const from = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#view.getUint8(from + i));
    const signed = BigInt.asIntN(length * 8, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  #append(items: readonly Item[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) return this.#broken("its description is damaged");
    for (const item of items) list.push(item);
  }

  #set(items: readonly Item[]): void {
    const map = this.#top();
    if (!(map instanceof Map) || items.length % 2 !== 0) return this.#broken("its description is damaged");
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (key === undefined || (typeof key === "object" && key !== null)) this.#broken("a key is no plain value");
      else map.set(key, items[i + 1] ?? null);
    }
  }

  #recall(index: number): void {
    const item = this.#memo.get(index);
    this.#stack.push(item === undefined ? this.#broken("its description is damaged") : item);
  }

  #global(module: string, name: string): Global {
    const full = `${module} ${name}`;
    if (full === REBUILD || full === ORDERED_DICT || storageTypes.has(full)) return new Global(full);
    return this.#refuse(
      "LTX6112",
      `it asks for ${JSON.stringify(`${module}.${name}`)}, which is neither a tensor nor a plain value; nothing was executed`,
      "delete the file unless you trust its origin; data files hold tensors, numbers, texts, lists and dictionaries",
    );
  }

  #reduce(): void {
    const args = this.#pop();
    const callee = this.#pop();
    if (!(callee instanceof Global) || !Array.isArray(args)) return this.#broken("its description is damaged");
    if (callee.name === ORDERED_DICT && args.length === 0) {
      this.#stack.push(new Map<Item, Item>());
    } else if (callee.name === REBUILD) {
      const [ref, offset, shape, stride, requiresGrad] = args;
      if (!(ref instanceof StorageRef)) return this.#broken("a tensor has no storage");
      this.#stack.push(rebuildTensor(ref.storage, { offset, shape, stride, requiresGrad }, this.#refuse));
    } else {
      this.#refuse("LTX6112", "it asks for a call that no data file needs; nothing was executed");
    }
  }

  #storage(id: Item): StorageRef {
    const [kind, type, key, , length, view = null] = Array.isArray(id) ? id : [];
    const storageType = type instanceof Global ? storageTypes.get(type.name) : undefined;
    const isSound = kind === "storage" && typeof key === "string" && view === null;
    if (!isSound || storageType === undefined || !Number.isSafeInteger(length) || Number(length) < 0) {
      return this.#broken("a storage has no sound description");
    }
    const known = this.storages.get(key);
    if (known !== undefined && (known.type !== storageType || known.length !== length)) {
      return this.#refuse("LTX6114", `storage ${key} is described in two ways`);
    }
    const storage = known ?? { key, type: storageType, length: Number(length), bytes: new Uint8Array() };
    this.storages.set(key, storage);
    return new StorageRef(storage);
  }

  #plain(item: Item): PtValue {
    return item as PtValue;
  }
}

/** Containers may contain themselves, or what is no value: neither leaves this file. */
function checkDepth(root: unknown, refuse: Refuse): void {
  const done = new Set<unknown>();
  const visit = (value: unknown, depth: number): void => {
    if (value instanceof Global || value instanceof StorageRef || value === MARK) {
      refuse("LTX6112", "it holds something that is neither a tensor nor a plain value; nothing was executed");
    }
    if (value instanceof PtTensor || typeof value !== "object" || value === null || done.has(value)) return;
    if (depth > MAX_DEPTH) refuse("LTX6113", `it nests more than ${MAX_DEPTH} lists or dictionaries`);
    for (const inner of value instanceof Map ? value.values() : (value as readonly unknown[])) visit(inner, depth + 1);
    done.add(value);
  };
  visit(root, 0);
}
