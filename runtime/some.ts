/** The first few of a list's names, and how many more there are. */
export function some(names: readonly string[], most = 3): string {
  const rest = names.length - most;
  return `${names.slice(0, most).join(", ")}${rest > 0 ? `, and ${rest} more` : ""}`;
}
