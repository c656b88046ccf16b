/** Packages that are not there: the server in the extension of VS Code comes without esbuild and without engines. */
import { packageRoot } from "./package-root.ts";

/** The package that Node.js did not find for this program; null where an error says something else. */
export function missingPackage(error: unknown): string | null {
  if (!(error instanceof Error) || (error as { readonly code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") return null;
  const [, name, from = ""] = /^Cannot find package '([^']+)' imported from (.*)$/m.exec(error.message) ?? [];
  return name !== undefined && from.includes(packageRoot) ? name : null;
}
