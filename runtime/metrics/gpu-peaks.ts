/**
 * What NVIDIA's cards compute at most, in 10^12 floating-point operations per second, without sparsity: bfloat16 on tensor cores with sums
 * in float32, and float32 on CUDA cores. From NVIDIA's data sheets. The first name that a card's name contains counts.
 */
const peaks: readonly (readonly [name: string, bfloat16: number, float32: number])[] = [
  ["B200", 2250, 75],
  ["H200 NVL", 835, 60],
  ["H200", 989, 67],
  ["H100 NVL", 835, 60],
  ["H100 PCIe", 756, 51],
  ["H100", 989, 67],
  ["A100", 312, 19.5],
  ["L40S", 362, 91.6],
  ["L40", 181, 90.5],
  ["L4", 121, 30.3],
  ["A40", 149.7, 37.4],
  ["A10", 125, 31.2],
  ["RTX 6000 Ada", 364, 91.1],
  ["RTX A6000", 154.8, 38.7],
  ["RTX 5090", 209.5, 104.8],
  ["RTX 4090", 165.2, 82.6],
  ["RTX 3090", 71, 35.6],
];

/** Floating-point operations per second that a card does at most; null for a card that is not known. */
export function gpuPeak(name: string, precision: "float32" | "bfloat16"): number | null {
  // A name is a word of its own: an A100 is no A10.
  const found = peaks.find(([card]) => new RegExp(`\\b${card}\\b`).test(name));
  if (found === undefined) return null;
  return 1e12 * (precision === "bfloat16" ? found[1] : found[2]);
}
