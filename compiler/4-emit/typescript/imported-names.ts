/** Where imported functions come from, and under which names a module has them. */
import { posix } from "node:path";

/** The path of what a strategy's file imports, from the folder that its own path starts at. */
export function importPath(strategy: string, from: string): string {
  if (!from.startsWith(".")) return from;
  const path = posix.join(posix.dirname(strategy.replaceAll("\\", "/")), from);
  return path.startsWith(".") || path.startsWith("/") ? path : `./${path}`;
}

export const asImported = (name: string, local: string): string => (name === local ? name : `${name} as ${local}`);

export const rename = (name: string, local: string): string => (name === local ? name : `${name}: ${local}`);
