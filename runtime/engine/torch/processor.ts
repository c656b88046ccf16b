import { readFileSync } from "node:fs";

/** Marks, in what the system says of a processor, that it multiplies matrices in bfloat16: on x86, and on ARM. */
const flags = /\b(avx512_bf16|amx_bf16|bf16)\b/;

/** The variable of the environment that, with the value 1, has every processor taken for one that computes in bfloat16. */
export const wantsBfloat16 = "LTXC_BF16";

let known: boolean | null = null;

/** Whether the processor computes in bfloat16 itself, so that it is faster than float32. Linux only; elsewhere only if the user says so. */
export function hasBfloat16(): boolean {
  if (process.env[wantsBfloat16] === "1") return true;
  known ??= tells();
  return known;
}

function tells(): boolean {
  try {
    const lines = readFileSync("/proc/cpuinfo", "utf8").split("\n");
    return flags.test(lines.find((line) => /^(flags|Features)\b/.test(line)) ?? "");
  } catch {
    return false;
  }
}
