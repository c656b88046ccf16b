/** Things of some size that can be made again; those that were not used for longest go when they take too much together. */
interface Shelf<Item> {
  add(item: Item, bytes: number): void;
  used(item: Item): void;
  /** Discards as many as have to go; what was added or used last stays, whatever its size. */
  trim(): void;
  /** Takes an item off that its owner has given up. */
  remove(item: Item): void;
}

export function createShelf<Item>(mostBytes: number, discard: (item: Item) => void): Shelf<Item> {
  // In the order of their last use.
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
