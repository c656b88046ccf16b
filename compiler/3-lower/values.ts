/** Which values of a program are the same. */
import { childrenOf, type Core } from "../2-check/core.ts";

/** Numbers the values of a program, the same value the same number, and counts where each is used. */
export class Values {
  readonly #ids = new Map<string, number>();
  readonly #byCore = new Map<Core, number>();
  readonly #uses: number[] = [];

  constructor(roots: readonly Core[]) {
    for (const root of roots) this.#use(root);
  }

  idOf(core: Core): number {
    return this.#byCore.get(core) ?? this.#number(core);
  }

  /** Whether several different values, or statements, are made of it. */
  isShared(id: number): boolean {
    return (this.#uses[id] ?? 0) > 1;
  }

  #use(core: Core): void {
    const id = this.idOf(core);
    const uses = (this.#uses[id] ?? 0) + 1;
    this.#uses[id] = uses;
    if (uses === 1) childrenOf(core).forEach((child) => this.#use(child));
  }

  #number(core: Core): number {
    const children = childrenOf(core).map((child) => this.idOf(child));
    const text = `${ownText(core)}(${children.join()})`;
    const id = this.#ids.get(text) ?? this.#ids.size;
    this.#ids.set(text, id);
    this.#byCore.set(core, id);
    return id;
  }
}

/** What a node is, without its children and its place, as a text. */
export function ownText(core: Core): string {
  const { span: _, ...rest } = core;
  return JSON.stringify(rest, (_key, value: unknown) => (isCore(value) ? undefined : value));
}

function isCore(value: unknown): boolean {
  return typeof value === "object" && value !== null && "op" in value && "span" in value;
}
