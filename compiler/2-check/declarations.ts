/** The one namespace of a strategy: parameters, sources and `let` bindings, none of which may be named like a built-in. */
import type { Name } from "../1-parse/expression/ast.ts";
import type {
  DatasetSyntax,
  ImportSyntax,
  LetSyntax,
  NetworkSyntax,
  OutputSyntax,
  ParamSyntax,
  PassSyntax,
  SourceSyntax,
  StrategySyntax,
  WeightSyntax,
} from "../1-parse/syntax.ts";
import { reservedNames } from "./builtins.ts";
import { gridAxes } from "./axes.ts";
import type { CheckedOutput, ParamType, SourceKind } from "./checked.ts";
import type { Axis, ModalityName } from "./core.ts";
import { resolveNetworks, type ResolvedNetwork } from "./networks.ts";
import { resolveOutputs } from "./outputs.ts";
import type { Report } from "./report.ts";

const sourceKinds: readonly string[] = [
  "video_latents",
  "audio_latents",
  "text_embeddings",
  "video_mask",
  "audio_mask",
  "tensor",
];

export type Declaration =
  | { readonly kind: "param"; readonly name: Name; readonly syntax: ParamSyntax; readonly type: ParamType }
  | { readonly kind: "source"; readonly name: Name; readonly syntax: SourceSyntax; readonly sourceKind: SourceKind }
  | { readonly kind: "dataset"; readonly name: Name; readonly syntax: DatasetSyntax }
  | { readonly kind: "let"; readonly name: Name; readonly syntax: LetSyntax }
  | { readonly kind: "pass"; readonly name: Name; readonly syntax: PassSyntax }
  | { readonly kind: "output"; readonly name: Name; readonly syntax: OutputSyntax }
  | { readonly kind: "weight"; readonly name: Name; readonly syntax: WeightSyntax }
  | { readonly kind: "network"; readonly name: Name; readonly syntax: NetworkSyntax }
  | { readonly kind: "import"; readonly name: Name; readonly syntax: ImportSyntax };

export type SourceDeclaration = Extract<Declaration, { kind: "source" }>;

export interface Declarations {
  readonly byName: ReadonlyMap<string, Declaration>;
  /** Names that may not be given, but were, names that are declared twice, so that a use may mean either, names of a section that could not be read, and sources of no known kind; their uses are not reported again. */
  readonly refused: ReadonlySet<string>;
  /** Whether a section could not be read, so that what is missing may stand there. */
  readonly isIncomplete: boolean;
  /** Names that were looked up; what is missing here at the end is unused. */
  readonly used: Set<string>;
  /** Sources that some samples lack. */
  readonly optional: ReadonlySet<string>;
  /** Sources that serve as references, with the modality whose references they are. */
  readonly references: ReadonlyMap<string, ModalityName>;
  /** Those of them that are noised. */
  readonly noisyReferences: ReadonlySet<string>;
  readonly outputs: ReadonlyMap<string, CheckedOutput>;
  /** Networks that could be read. */
  readonly networks: ReadonlyMap<string, ResolvedNetwork>;
  /** Names of the terms of the loss, which are no values. */
  readonly terms: ReadonlySet<string>;
}

/** Gathers the names; a second declaration of a name is reported and left out. */
export function declare(strategy: StrategySyntax, report: Report): Declarations {
  const present = [strategy.video, strategy.audio].flatMap((modality) => modality?.name ?? []);
  const outputs = resolveOutputs(strategy.outputs, strategy.params, new Set(present), report);
  const byName = new Map<string, Declaration>();
  const refused = new Set<string>(strategy.strayNames);
  for (const { name, kind } of strategy.sources) if (!isKind(kind?.text)) refused.add(name.text);
  const declarations = [
    ...strategy.params.map(param),
    ...strategy.sources.flatMap(source),
    ...strategy.datasets.map((syntax): Declaration => ({ kind: "dataset", name: syntax.name, syntax })),
    ...strategy.lets.map((syntax): Declaration => ({ kind: "let", name: syntax.binder.name, syntax })),
    ...strategy.passes.map((syntax): Declaration => ({ kind: "pass", name: syntax.name, syntax })),
    ...strategy.outputs.map((syntax): Declaration => ({ kind: "output", name: syntax.name, syntax })),
    ...strategy.weights.map((syntax): Declaration => ({ kind: "weight", name: syntax.name, syntax })),
    ...strategy.networks.map((syntax): Declaration => ({ kind: "network", name: syntax.name, syntax })),
    ...strategy.imports.map((syntax): Declaration => ({ kind: "import", name: syntax.name, syntax })),
  ];
  for (const declaration of declarations) {
    const { text, span } = declaration.name;
    const first = byName.get(text);
    if (reservedNames.has(text)) {
      refused.add(text);
      report.error("LTX3003", span, `\`${text}\` is the name of a built-in`, {
        help: `choose another name, e.g. \`my_${text}\``,
      });
    } else if (first !== undefined) {
      refused.add(text);
      report.error("LTX3002", span, `\`${text}\` is declared twice`, {
        labels: [{ span: first.name.span, message: `first declared here, as a ${wordFor[first.kind]}` }],
        help: "parameters, sources, data sets, `let` bindings, passes, outputs, weights, networks and imports share one namespace; rename one of them",
      });
    } else byName.set(text, declaration);
  }
  return {
    byName,
    refused,
    isIncomplete: strategy.strayNames.size > 0,
    used: readByOutputs(strategy),
    optional: optionalOf(strategy),
    references: referencesOf(strategy),
    noisyReferences: noisyReferencesOf(strategy),
    outputs,
    networks: resolveNetworks(strategy.networks, report),
    terms: new Set(strategy.losses.map(({ name }) => name.text)),
  };
}

/** Outputs that a head reads are used, and parameters that give a block or a width. */
function readByOutputs({ outputs }: StrategySyntax): Set<string> {
  return new Set(
    outputs.flatMap(({ linear, given }) => [linear?.text ?? [], given?.kind === "name" ? given.name : []].flat()),
  );
}

function optionalOf({ sources, datasets }: StrategySyntax): Set<string> {
  const lacking = datasets.flatMap(({ without }) => without.map(({ text }) => text));
  const names = new Set(sources.map(({ name }) => name.text));
  const optional = sources.flatMap(({ name, optional }) => (optional?.value === true ? [name.text] : []));
  return new Set([...optional, ...lacking.filter((name) => names.has(name))]);
}

function referencesOf({ video, audio, passes }: StrategySyntax): Map<string, ModalityName> {
  const named = [video, audio, ...passes.flatMap((pass) => [pass.video, pass.audio])].flatMap((modality) =>
    (modality?.references?.items ?? []).flatMap(({ value }) =>
      modality !== null && value.kind === "name" ? [[value.name, modality.name] as const] : [],
    ),
  );
  return new Map(named);
}

function noisyReferencesOf({ video, audio }: StrategySyntax): Set<string> {
  const items = [video, audio].flatMap((modality) => modality?.references?.items ?? []);
  return new Set(items.flatMap(({ value, sigma }) => (value.kind === "name" && sigma !== null ? [value.name] : [])));
}

/** What a declaration is called in messages. */
export const wordFor = {
  param: "parameter",
  source: "source",
  dataset: "data set",
  let: "binding",
  pass: "pass",
  output: "output",
  weight: "weight",
  network: "network",
  import: "import",
} as const;

/** That a parameter has no `type` is reported; what it is may be seen all the same. */
const isTexts = (choices: unknown): boolean => Array.isArray(choices) && typeof choices[0] === "string";

function param(syntax: ParamSyntax): Declaration {
  const { enum: choices, type = isTexts(choices) ? "string" : undefined } = syntax.schema;
  const known = type === "boolean" ? "boolean" : type === "string" ? "string" : type === "array" ? "list" : "number";
  return { kind: "param", name: syntax.name, syntax, type: known };
}

/** Nothing for a source whose kind the check of the structure reports. */
function source(syntax: SourceSyntax): Declaration[] {
  const kind = syntax.kind?.text;
  return isKind(kind) ? [{ kind: "source", name: syntax.name, syntax, sourceKind: kind }] : [];
}

const isKind = (kind: string | undefined): kind is SourceKind => kind !== undefined && sourceKinds.includes(kind);

/** Axes of a source's value in expressions; null for text, which has only fields. A reference has a grid of its own. */
export function axesOfSource(
  { name, sourceKind, syntax }: SourceDeclaration,
  references: Declarations["references"],
): readonly Axis[] | null {
  const own = (axis: Axis) => (references.has(name.text) ? `${axis}:${name.text}` : axis);
  switch (sourceKind) {
    case "video_latents":
      return ["batch", "channel", ...gridAxes.video.map(own)];
    case "audio_latents":
      return ["batch", "channel", ...gridAxes.audio.map(own), "mel"];
    case "video_mask":
      return ["batch", "token:video"];
    case "audio_mask":
      return ["batch", "token:audio"];
    case "tensor":
      return ["batch", ...(syntax.axes?.value ?? []).map((axis) => axis.text)];
    case "text_embeddings":
      return null;
  }
}

/** Fields of a source in expressions. */
export function fieldsOfSource({ sourceKind }: SourceDeclaration): readonly string[] {
  switch (sourceKind) {
    case "video_latents":
      return ["frames", "height", "width", "fps"];
    case "audio_latents":
      return ["steps"];
    case "text_embeddings":
      return ["video", "audio", "mask"];
    default:
      return [];
  }
}
