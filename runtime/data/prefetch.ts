interface PrefetchOptions {
  /** How many batches are read ahead of the one asked for; 0 reads each when it is asked for. */
  readonly ahead: number;
  /** The first batch that will not be asked for. */
  readonly end: number;
}

interface Prefetch<Batch> {
  /**
   * Batch `index`; reading of the next ones begins or goes on in the background. Asked for in ascending order.
   * Rejects with the error of this very batch, even if reading failed long before.
   */
  load(index: number): Promise<Batch>;
  /** Stops reading and waits until no file is open; what was read ahead is dropped, errors included. May be called twice. */
  close(): Promise<void>;
}

/**
 * Reads batches ahead of their use.
 * @param read reads one batch; gives up where it can once the signal is aborted
 */
export function prefetch<Batch>(
  read: (index: number, signal: AbortSignal) => Promise<Batch>,
  { ahead, end }: PrefetchOptions,
): Prefetch<Batch> {
  const reading = new Map<number, Promise<Batch>>();
  const closing = new AbortController();
  const begin = (index: number): Promise<Batch> => {
    const begun = reading.get(index) ?? read(index, closing.signal);
    reading.set(index, begun);
    // Who asks for the batch gets the error; until then it is no unhandled rejection.
    begun.catch(() => undefined);
    return begun;
  };
  return {
    async load(index) {
      if (closing.signal.aborted) throw new Error("the data is already closed");
      const batch = begin(index);
      for (let next = index + 1; next <= index + ahead && next < end; next++) begin(next);
      try {
        return await batch;
      } finally {
        reading.delete(index);
      }
    },
    async close() {
      closing.abort();
      await Promise.allSettled(reading.values());
      reading.clear();
    },
  };
}
