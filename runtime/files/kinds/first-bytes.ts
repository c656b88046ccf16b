/** What a file is by its first bytes, whatever its name says. */

export type Container =
  /** `length` is the header's, as the first eight bytes say. */
  | { readonly kind: "safetensors"; readonly length: number }
  /** A zip file or a stream of pickles of `torch.save`. */
  | { readonly kind: "torch" }
  | { readonly kind: "gguf" }
  | { readonly kind: "empty" }
  /** Zeros where every format has something. */
  | { readonly kind: "zeros" }
  /** What Git leaves in place of a large file that was not fetched; `size` is that of the file, where it is known. */
  | { readonly kind: "pointer"; readonly size: number | null }
  | { readonly kind: "web-page"; readonly title: string | null }
  /** A short text, such as the error that a server sent in place of the file. */
  | { readonly kind: "text"; readonly firstLine: string }
  | { readonly kind: "json"; readonly start: string }
  | { readonly kind: "utf-16" }
  /** `format`: as in "a zip archive". */
  | { readonly kind: "archive" | "media" | "other"; readonly format: string }
  /** What macOS stores next to a file on disks of other systems, named `._FILE`. */
  | { readonly kind: "apple-double" }
  | { readonly kind: "unknown" };

/** The bytes that `containerOf` looks at: some formats have their mark behind the first 256. */
export const HEAD_BYTES = 4096;

/** Longer headers are refused by the format's reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

/** Marks at the start of a file, in latin-1. */
const marks: readonly (readonly [mark: string, Container])[] = [
  ["GGUF", { kind: "gguf" }],
  ["GGML", { kind: "gguf" }],
  ["\x00\x05\x16\x07", { kind: "apple-double" }],
  ["\x1f\x8b", { kind: "archive", format: "gzip" }],
  ["7z\xbc\xaf\x27\x1c", { kind: "archive", format: "7-Zip" }],
  ["\xfd7zXZ\x00", { kind: "archive", format: "xz" }],
  ["\x28\xb5\x2f\xfd", { kind: "archive", format: "zstd" }],
  ["BZh", { kind: "archive", format: "bzip2" }],
  ["Rar!", { kind: "archive", format: "RAR" }],
  ["\x89HDF", { kind: "other", format: "an HDF5 file" }],
  ["\x93NUMPY", { kind: "other", format: "a NumPy file" }],
  ["\x7fELF", { kind: "other", format: "a program" }],
  ["MZ", { kind: "other", format: "a program" }],
  ["%PDF", { kind: "other", format: "a PDF" }],
  ["\x89PNG", { kind: "media", format: "a PNG picture" }],
  ["\xff\xd8\xff", { kind: "media", format: "a JPEG picture" }],
  ["GIF8", { kind: "media", format: "a GIF picture" }],
  ["RIFF", { kind: "media", format: "a media file (RIFF)" }],
  ["\x1a\x45\xdf\xa3", { kind: "media", format: "a Matroska or WebM video" }],
];

/**
 * What the file is that begins with `head` (its first `HEAD_BYTES`, or all of it) and has `size` bytes.
 */
export function containerOf(head: Buffer, size: number): Container {
  if (size === 0) return { kind: "empty" };
  const start = head.toString("latin1", 0, 16);
  const length = head.length >= 9 ? Number(head.readBigUInt64LE(0)) : Infinity;
  if (length <= MAX_HEADER_BYTES && start[8] === "{") return { kind: "safetensors", length };
  const known = marks.find(([mark]) => start.startsWith(mark))?.[1];
  if (known !== undefined) return known;
  if (start.startsWith("PK\x03\x04")) return zipOf(head);
  if (head.every((byte) => byte === 0)) return { kind: "zeros" };
  if (isPickle(head)) return { kind: "torch" };
  if (head.toString("latin1", 257, 262) === "ustar") return { kind: "archive", format: "tar" };
  if (head.toString("latin1", 4, 8) === "ftyp") return { kind: "media", format: "an MP4 video" };
  if (isUtf16(head)) return { kind: "utf-16" };
  return textOf(head) ?? { kind: "unknown" };
}

/** PyTorch's first members are `<name>/data.pkl`, or lie below `<name>/` too; anything else is an archive as people pack them. */
function zipOf(head: Buffer): Container {
  const end = head.length < 30 ? 30 : 30 + head.readUInt16LE(26);
  // So short, it is cut off, and may have been either.
  if (head.length < end) return { kind: "torch" };
  const name = head.toString("latin1", 30, end);
  const isTorch = /^[^/]+\/(data\.pkl|version|byteorder|\.format_version|\.data\/|data\/)/.test(name);
  return isTorch ? { kind: "torch" } : { kind: "archive", format: "zip" };
}

/** Protocol 2 to 5, as `torch.save` of early versions and plain `pickle.dump` write. */
function isPickle(head: Buffer): boolean {
  const version = head[1] ?? 0;
  return head[0] === 0x80 && version >= 2 && version <= 5;
}

/** With a byte order mark, or Latin letters with a zero next to each. */
export function isUtf16(head: Buffer): boolean {
  const mark = head.toString("latin1", 0, 2);
  if (mark === "\xff\xfe" || mark === "\xfe\xff") return true;
  const zeros = [0, 0];
  const pairs = Math.min(head.length, 200) >> 1;
  for (let i = 0; i < 2 * pairs; i++) if (head[i] === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  return pairs >= 4 && Math.max(even, odd) > 0.7 * pairs && Math.min(even, odd) === 0;
}

/** Whether what was read as UTF-8 is no text: one in an older encoding has only some bytes that do not fit. */
export function isGarbled(text: string): boolean {
  return text.length - text.replaceAll("\ufffd", "").length > text.length / 5;
}

/** A stored page, reply or list; null for what is not text. */
function textOf(head: Buffer): Container | null {
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x08\x0e-\x1a]/.test(head.toString("latin1"))) return null;
  const text = head
    .toString("utf8")
    .replace(/^\ufeff/, "")
    .trimStart();
  if (isGarbled(text)) return null;
  if (/^(version https:\/\/(git-lfs|hawser)|# xet version)/.test(text)) {
    const size = /^size (\d+)$/m.exec(text)?.[1];
    return { kind: "pointer", size: size === undefined ? null : Number(size) };
  }
  if (/^<(!doctype|html|head|body|\?xml|!--)/i.test(text)) {
    const title = /<title[^>]*>\s*([^<]{1,80})/i.exec(text)?.[1] ?? /<Message>([^<]{1,80})/.exec(text)?.[1];
    return { kind: "web-page", title: title?.trim() ?? null };
  }
  if (/^[[{]/.test(text)) return { kind: "json", start: text };
  return { kind: "text", firstLine: text.split("\n", 1)[0]?.trim().slice(0, 80) ?? "" };
}
