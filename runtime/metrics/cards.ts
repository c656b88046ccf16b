/**
 * What NVIDIA's cards are: the one place for their figures. Operations are 10^12 a second without sparsity: bfloat16 on tensor cores with
 * sums in float32, and float32 on CUDA cores. Memory is what the card is sold with, in GiB; its bandwidth and that of the bus to the host
 * (PCIe, or NVLink for GH200; one direction) in 10^9 bytes a second.
 *
 * Source: NVIDIA's data sheets, and the white papers on its architectures; where these count with sparsity, which doubles the number, this
 * is the half. Those of H100 SXM, A100, RTX 4090 and RTX 5090 were looked up again; the others only agree with
 * multiprocessors x operations in a cycle x boost clock. A bus is PCIe 3.0, 4.0 or 5.0 with 16 lanes: 15.8, 31.5 and 63 GB/s.
 */
export interface Card {
  /** Words that the driver's name of the card contains. */
  readonly name: string;
  /** Null: the card has no bfloat16. */
  readonly bfloat16: number | null;
  readonly float32: number;
  readonly memoryGiB: number;
  readonly bandwidthGBs: number;
  readonly busGBs: number;
}

const [PCIE3, PCIE4, PCIE5] = [15.8, 31.5, 63];

type Row = readonly [name: string, bfloat16: number | null, float32: number, GiB: number, GBs: number, bus: number];

/** The first row whose words a card's name contains counts, so longer names come first; a card of several sizes has several rows. */
const rows: readonly Row[] = [
  ["B200", 2250, 75, 180, 8000, PCIE5],
  ["H200 NVL", 835, 60, 141, 4800, PCIE5],
  ["H200", 989, 67, 141, 4800, PCIE5],
  ["GH200", 989, 67, 96, 4000, 450],
  ["H100 NVL", 835, 60, 94, 3900, PCIE5],
  ["H100 PCIe", 756, 51, 80, 2000, PCIE5],
  ["H100", 989, 67, 80, 3350, PCIE5],
  ["A100", 312, 19.5, 80, 2039, PCIE4],
  ["A100", 312, 19.5, 40, 1555, PCIE4],
  ["L40S", 362, 91.6, 48, 864, PCIE4],
  ["L40", 181, 90.5, 48, 864, PCIE4],
  ["L4", 121, 30.3, 24, 300, PCIE4],
  ["A40", 149.7, 37.4, 48, 696, PCIE4],
  ["A10", 125, 31.2, 24, 600, PCIE4],
  ["T4", null, 8.1, 16, 320, PCIE3],
  ["V100-PCIE", null, 14, 16, 900, PCIE3],
  ["V100-PCIE", null, 14, 32, 900, PCIE3],
  ["V100", null, 15.7, 32, 900, PCIE3],
  ["V100", null, 15.7, 16, 900, PCIE3],
  ["RTX PRO 6000", 503.8, 126, 96, 1792, PCIE5],
  ["RTX 6000 Ada", 364, 91.1, 48, 960, PCIE4],
  ["RTX A6000", 154.8, 38.7, 48, 768, PCIE4],
  ["RTX 5090", 209.5, 104.8, 32, 1792, PCIE5],
  ["RTX 5080", 112.6, 56.3, 16, 960, PCIE5],
  ["RTX 5070 Ti", 87.9, 43.9, 16, 896, PCIE5],
  ["RTX 5060 Ti", 47.4, 23.7, 16, 448, PCIE5 / 2],
  ["RTX 4090", 165.2, 82.6, 24, 1008, PCIE4],
  ["RTX 4080 SUPER", 104.4, 52.2, 16, 736, PCIE4],
  ["RTX 4080", 97.5, 48.7, 16, 717, PCIE4],
  ["RTX 4070 Ti SUPER", 88.2, 44.1, 16, 672, PCIE4],
  ["RTX 4060 Ti", 44.1, 22.1, 16, 288, PCIE4 / 2],
  ["RTX 3090 Ti", 80, 40, 24, 1008, PCIE4],
  ["RTX 3090", 71, 35.6, 24, 936, PCIE4],
  ["RTX 3060", 25.4, 12.7, 12, 360, PCIE4],
];

export const cards: readonly Card[] = rows.map(([name, bfloat16, float32, memoryGiB, bandwidthGBs, busGBs]) => ({
  name,
  bfloat16,
  float32,
  memoryGiB,
  bandwidthGBs,
  busGBs,
}));

/** Words by which a card of the same number is another one: slower, or a share of one that several machines use. */
const otherCard = /\b(Laptop|Max-Q|Mobile|Ti|SUPER|D|GRID)\b|-\d+[ABCQ]\b/;

/** The card that NVIDIA's driver calls so; null if it is not known. Of a card of several sizes, any. */
export function cardOfDriver(name: string): Card | null {
  // A name is a word of its own: an A100 is no A10.
  const found = cards.find((card) => new RegExp(`\\b${card.name}\\b`).test(name));
  return found === undefined || otherCard.test(name.replace(found.name, "")) ? null : found;
}

/** As people write it: without the maker, the family, the kind of socket and all signs between the words. */
const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/\b(nvidia|geforce|tesla|quadro)\b/g, "")
    .replace(/sxm\d?/g, "")
    .replace(/(\d)\s*(gb|gib|g)$/, "$1")
    .replace(/[^a-z0-9]/g, "")
    .replace(/^rtx/, "");

/** The card that a user names, as `4090`, `h100`, `a100-40` or `RTX 4090 24GB`; null if it is not known. */
export function cardNamed(text: string): Card | null {
  const asked = plain(text);
  const withSize = cards.find(({ name, memoryGiB }) => asked === `${plain(name)}${memoryGiB}`);
  return cards.find(({ name }) => asked === plain(name)) ?? withSize ?? null;
}

/** What a user can write for each card, one for each, with its size where there are several. */
export const cardWords: readonly string[] = cards.map(({ name, memoryGiB }, i) => {
  const word = plain(name);
  return cards.findIndex((card) => plain(card.name) === word) === i ? word : `${word}-${memoryGiB}`;
});
