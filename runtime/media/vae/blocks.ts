/** The list of blocks that each half of a video VAE is made of, as its config has it. */

/** Notes what is wrong with a setting. */
export type Refuse = (what: string) => void;

export interface VaeBlock {
  readonly name: string;
  /** Of res_x. */
  readonly layers: number;
  /** By what a block changes the width; null where the config does not say. */
  readonly multiplier: number | null;
  /** Whether an upsampling adds its input. */
  readonly isResidual: boolean;
  readonly injectsNoise: boolean;
}

const known = {
  encoder: [
    "res_x",
    "res_x_y",
    "compress_space_res",
    "compress_time_res",
    "compress_all_res",
    "compress_space",
    "compress_time",
    "compress_all",
    "compress_all_x_y",
    "attn",
  ],
  decoder: ["res_x", "res_x_y", "compress_space", "compress_time", "compress_all", "attn"],
} as const;

/** The strides in time, rows and columns of a block, by its name. */
export function stridesOf(name: string): readonly [number, number, number] {
  if (name.startsWith("compress_all")) return [2, 2, 2];
  if (name.startsWith("compress_time")) return [2, 1, 1];
  return name.startsWith("compress_space") ? [1, 2, 2] : [1, 1, 1];
}

/** Pairs of a name and its settings, where a number stands for a number of layers. */
export function readBlocks(list: unknown, half: keyof typeof known, refuse: Refuse): VaeBlock[] {
  if (!Array.isArray(list) || list.length === 0) {
    refuse(`${half}_blocks is ${Array.isArray(list) ? "empty" : "no list"}`);
    return [];
  }
  return list.map((entry: unknown, i) => {
    const at = `${half}_blocks[${i}]`;
    const [name, settings] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (!(known[half] as readonly unknown[]).includes(name))
      refuse(`${at} is ${JSON.stringify(name ?? entry)}, expected one of ${known[half].join(", ")}`);
    const given = typeof settings === "number" ? { num_layers: settings } : (settings ?? {});
    return blockOf(String(name), given as Readonly<Record<string, unknown>>, (what) => refuse(`${at}: ${what}`));
  });
}

function blockOf(name: string, given: Readonly<Record<string, unknown>>, refuse: Refuse): VaeBlock {
  const count = (key: string): number | null => {
    const value = given[key] ?? null;
    if (value === null || (typeof value === "number" && Number.isInteger(value) && value > 0 && value < 1024))
      return value;
    refuse(`${key} is ${JSON.stringify(value)}, expected a whole number above 0`);
    return 1;
  };
  const flag = (key: string): boolean => given[key] === true || given[key] === 1;
  return {
    name,
    layers: count("num_layers") ?? 1,
    multiplier: count("multiplier"),
    isResidual: flag("residual"),
    injectsNoise: flag("inject_noise"),
  };
}
