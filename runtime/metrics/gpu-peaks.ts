/**
 * What NVIDIA's cards compute at most, in 10^12 floating-point operations per second, without sparsity: bfloat16 on tensor cores with sums
 * in float32, and float32 on CUDA cores. As NVIDIA's data sheets and the white papers on its architectures have them; where these count with
 * sparsity, which doubles the number, this is the half. Those of H100 SXM, A100 and RTX 4090 in bfloat16 were looked up again; the others
 * only agree with multiprocessors x operations in a cycle x boost clock. Null: the card has no bfloat16.
 *
 * The first entry whose words a card's name contains counts.
 */
const peaks: readonly (readonly [name: string, bfloat16: number | null, float32: number])[] = [
  ["B200", 2250, 75],
  ["H200 NVL", 835, 60],
  ["H200", 989, 67],
  ["GH200", 989, 67],
  ["H100 NVL", 835, 60],
  ["H100 PCIe", 756, 51],
  ["H100", 989, 67],
  ["A100", 312, 19.5],
  ["L40S", 362, 91.6],
  ["L40", 181, 90.5],
  ["L4", 121, 30.3],
  ["A40", 149.7, 37.4],
  ["A10", 125, 31.2],
  ["T4", null, 8.1],
  ["V100-PCIE", null, 14],
  ["V100", null, 15.7],
  ["RTX 6000 Ada", 364, 91.1],
  ["RTX A6000", 154.8, 38.7],
  ["RTX 5090", 209.5, 104.8],
  ["RTX 4090", 165.2, 82.6],
  ["RTX 3090", 71, 35.6],
];

/** Words by which a card of the same number is another one: slower, or a share of one that several machines use. */
const otherCard = /\b(Laptop|Max-Q|Mobile|Ti|D|GRID)\b|-\d+[ABCQ]\b/;

/** Floating-point operations per second that a card does at most; null for a card that is not known, or that has no such numbers. */
export function gpuPeak(name: string, precision: "float32" | "bfloat16"): number | null {
  if (otherCard.test(name)) return null;
  // A name is a word of its own: an A100 is no A10.
  const [, bfloat16 = null, float32 = null] = peaks.find(([card]) => new RegExp(`\\b${card}\\b`).test(name)) ?? [];
  const peak = precision === "bfloat16" ? bfloat16 : float32;
  return peak === null ? null : 1e12 * peak;
}
