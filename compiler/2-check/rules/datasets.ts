/** Sets of samples that are mixed: their folders, their shares of a batch, and the sources that they lack. */
import type { DatasetSyntax, StrategySyntax } from "../../1-parse/syntax.ts";
import type { CheckedDataset } from "../checked.ts";
import { wordFor, type Declarations } from "../declarations.ts";
import type { Report } from "../report.ts";
import { pathIn } from "./source-directories.ts";

/** The shares of all data sets are a whole batch; rounding leaves this much. */
const tolerance = 1e-9;

export function checkDatasets(syntax: StrategySyntax, declarations: Declarations, report: Report): CheckedDataset[] {
  const { datasets } = syntax;
  const checked = datasets.map((dataset) => ({
    name: dataset.name.text,
    root: dataset.root === null ? null : pathIn(dataset.root, false, declarations, report),
    share: shareOf(dataset, declarations, report),
    without: withoutOf(dataset, declarations, report),
  }));
  shares(datasets, checked, report);
  return checked;
}

/** A number, or the name of a parameter that is one. */
function shareOf({ share }: DatasetSyntax, { byName, used, refused }: Declarations, report: Report) {
  if (share === null || typeof share.value === "number") return share?.value ?? null;
  const { value: name, span } = share;
  const declaration = byName.get(name);
  if (declaration?.kind === "param") used.add(name);
  if (refused.has(name) || (declaration?.kind === "param" && declaration.type === "number")) return name;
  const params = [...byName.values()].flatMap((entry) => (entry.kind === "param" ? [entry.name.text] : []));
  if (declaration === undefined && /^[A-Za-z_]\w*$/.test(name)) report.unknownName(name, span, params);
  else
    report.error("LTX5075", span, `\`share\` is a number between 0 and 1, or a parameter of type number`, {
      help: /^[\d.]+\s*%$/.test(name)
        ? `write \`share: ${Number((Number.parseFloat(name) / 100).toPrecision(12))}\``
        : /^\$\{\w+\}$/.test(name)
          ? `write \`share: ${name.slice(2, -1)}\`, without \`\${}\``
          : "write `share: 0.5` for half of every batch",
    });
  return null;
}

function withoutOf({ without }: DatasetSyntax, { byName, used, refused }: Declarations, report: Report): string[] {
  const known = new Set<string>();
  return without.flatMap(({ text: name, span }) => {
    const declaration = byName.get(name);
    if (refused.has(name)) return [];
    if (declaration?.kind === "source") {
      used.add(name);
      if (!known.has(name)) return known.add(name) && [name];
      report.error("LTX5076", span, `\`${name}\` is listed twice`, { help: "remove one of them" });
      return [];
    }
    const sources = [...byName.values()].flatMap((entry) => (entry.kind === "source" ? [entry.name.text] : []));
    const otherwise = `sources are ${sources.map((source) => `\`${source}\``).join(", ")}`;
    if (declaration === undefined) report.unknownName(name, span, sources, { otherwise });
    else
      report.error("LTX5076", span, `\`without\` lists sources; \`${name}\` is a ${wordFor[declaration.kind]}`, {
        help: `there are: ${sources.map((source) => `\`${source}\``).join(", ")}`,
      });
    return [];
  });
}

/** One data set has no share and gets what is left; without such a one the shares are 1 together. */
function shares(datasets: readonly DatasetSyntax[], checked: readonly CheckedDataset[], report: Report): void {
  if (datasets.some(({ isOdd }) => isOdd)) return;
  const open = datasets.filter(({ share }) => share === null);
  const [first, second] = open;
  if (first !== undefined && second !== undefined) {
    report.error("LTX5075", second.name.span, `\`${first.name.text}\` and \`${second.name.text}\` have no share`, {
      help: `one data set gets what the others leave; write \`${second.name.text}: {share: 0.5}\` for half of every batch`,
      labels: [{ span: first.name.span, message: "this one gets what is left" }],
    });
    return;
  }
  const known = checked.flatMap(({ share }) => (typeof share === "number" ? [share] : []));
  const sum = known.reduce((a, b) => a + b, 0);
  const isKnown = checked.every(({ share }) => typeof share !== "string");
  const last = datasets.findLast(({ share }) => share !== null);
  const at = last?.share?.span ?? last?.name.span;
  if (at === undefined || report.hasErrorAt(at)) return;
  if (first !== undefined && sum >= 1 - tolerance) {
    report.error(
      "LTX5075",
      at,
      `the shares are ${round(sum)} together, so nothing is left for \`${first.name.text}\``,
      {
        help: "lower them, so that together they are below 1",
      },
    );
  } else if (first === undefined && isKnown && Math.abs(sum - 1) > tolerance) {
    report.error("LTX5075", at, `the shares are ${round(sum)} together, and a batch is 1`, {
      help: "leave the share of one data set out: it gets what is left",
    });
  }
}

const round = (value: number): string => String(Number(value.toFixed(6)));
