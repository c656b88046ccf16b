const { fround } = Math;

/**
 * The `count` rotary frequencies g_k = theta^(k / (count - 1)) * pi / 2.
 * With `double` the power and the product are float64, rounded once to float32. Without it every step is float32, and the exponents
 * are spaced as the models were trained with (`exponents`): an ulp there moves angles by several thousandths.
 */
export function frequencyGrid(count: number, theta: number, double: boolean): Float32Array {
  if (count === 1) return Float32Array.of(Math.PI / 2);
  if (double) return Float32Array.from({ length: count }, (_, k) => (theta ** (k / (count - 1)) * Math.PI) / 2);
  return exponents(count).map((e) => fround(fround(theta ** e) * fround(Math.PI)) / 2);
}

/**
 * `count` float32 numbers from 0 to 1 as an 8-lane vector build spaces them: the lower half counts up from 0, the upper half down
 * from 1, each rounded once; whole pairs of groups of 8 step from the group's first value instead. Used on every machine,
 * so that results do not depend on it.
 */
function exponents(count: number): Float32Array {
  const step = fround(1 / (count - 1));
  const half = Math.floor(count / 2);
  const single = (i: number) => fround(i < half ? step * i : 1 - step * (count - 1 - i));
  const grouped = count - (count % 16);
  return Float32Array.from({ length: count }, (_, i) => {
    if (i >= grouped) return single(i);
    const lane = i % 8;
    return fround(single(i - lane) + fround(lane * step));
  });
}
