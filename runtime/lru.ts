/** Items of a known size that can be made again. When they take too much memory together, the least recently used are discarded. */
interface Lru<Item> {
  add(item: Item, bytes: number): void;
  used(item: Item): void;
  /** Discards the least recently used items until the rest fits; the one added or used last stays, whatever its size. */
  trim(): void;
  /** Forgets an item without discarding it: its owner has freed it. */
  remove(item: Item): void;
}

export function createLru<Item>(mostBytes: number, discard: (item: Item) => void): Lru<Item> {
  // In the order of their last use: a Map keeps the order of insertion.
  const items = new Map<Item, number>();
  let taken = 0;
  const remove = (item: Item): void => {
    taken -= items.get(item) ?? 0;
    items.delete(item);
  };
  return {
    add(item, bytes) {
      items.set(item, bytes);
      taken += bytes;
    },
    used(item) {
      const bytes = items.get(item);
      if (bytes === undefined) return;
      items.delete(item);
      items.set(item, bytes);
    },
    trim() {
      for (const item of items.keys()) {
        if (taken <= mostBytes || items.size === 1) return;
        remove(item);
        discard(item);
      }
    },
    remove,
  };
}
