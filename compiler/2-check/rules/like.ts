import type { Declarations, SourceDeclaration } from "../declarations.ts";
import type { Report } from "../report.ts";

/** `like` says whose grid a source has: another source of latents, and of the same modality. */
export function checkLike(declarations: Declarations, report: Report): void {
  for (const source of declarations.byName.values()) {
    if (source.kind !== "source" || source.syntax.like === null) continue;
    const { text: name, span } = source.syntax.like;
    const other = declarations.byName.get(name);
    if (other?.kind === "source") declarations.used.add(name);
    const what = mistakeOf(source, other?.kind === "source" ? other : null, declarations);
    if (what === null) continue;
    const candidates = [...declarations.byName.values()].filter(
      (entry) => entry.kind === "source" && entry.sourceKind === source.sourceKind && entry !== source,
    );
    const [first] = candidates;
    const help =
      first === undefined || !source.sourceKind.endsWith("_latents")
        ? "remove `like`"
        : `name such a source: \`like: ${first.name.text}\``;
    report.error("LTX5063", span, `\`like\` names another source of latents of the same kind; ${what}`, { help });
  }
}

function mistakeOf(source: SourceDeclaration, other: SourceDeclaration | null, declarations: Declarations) {
  const { text: name } = source.name;
  if (!source.sourceKind.endsWith("_latents")) return `\`${name}\` itself is of kind \`${source.sourceKind}\``;
  if (other === null) return `\`${source.syntax.like?.text}\` is no source`;
  if (other === source) return "this is the source itself";
  if (other.sourceKind !== source.sourceKind) return `\`${other.name.text}\` is of kind \`${other.sourceKind}\``;
  return gridOf(name, declarations) === null ? "these lead back to the source itself" : null;
}

/** The source whose grid a source has, at the end of its `like`; null where that leads in a circle. */
export function gridOf(source: string, { byName }: Declarations): string | null {
  const seen = new Set<string>();
  let name = source;
  while (!seen.has(name)) {
    seen.add(name);
    const declaration = byName.get(name);
    const like = declaration?.kind === "source" ? declaration.syntax.like : null;
    if (like === null) return name;
    name = like.text;
  }
  return null;
}
