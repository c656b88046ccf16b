/**
 * JavaScript engines translate a function into fast code after it has run often; until then, to check a strategy takes five times as long.
 * So an opened file is checked again and again in the moment after it was opened, when nobody types yet.
 */

/** Enough for a file of 200 lines; a short one takes less, ms. */
const MOST = 600;
const ROUNDS = 20;
/** Between two rounds, in which requests are answered, ms. */
const PAUSE = 15;

/** Runs `once` in rounds, until `isOver` or for long enough. */
export function warmUp(once: () => void, isOver: () => boolean): void {
  let [spent, rounds] = [0, 0];
  const round = (): void => {
    if (isOver()) return;
    const start = performance.now();
    once();
    spent += performance.now() - start;
    rounds += 1;
    if (spent < MOST && rounds < ROUNDS) setTimeout(round, PAUSE).unref();
  };
  setTimeout(round, PAUSE).unref();
}
