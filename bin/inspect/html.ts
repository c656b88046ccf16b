/** An inspection as one page without scripts or requests, light or dark as the reader's system. */
import { generator } from "../../runtime/files/index.ts";
import { scaleOf } from "./blocks.ts";
import type { Inspection, ModalityView, ValueRow } from "./inspection.ts";
import type { TokenMap } from "./maps.ts";
import { markup, nothing, type Markup, Markup as Raw } from "./markup.ts";
import { attentionPicture, framePicture, levelsPicture, stillId, stillPictures } from "./pictures.ts";
import { shortNumber } from "../probe/locations.ts";
import { style } from "./style.ts";
import { gridText, percent, rangeText, shapeText } from "./wording.ts";

/** @param stills a PNG picture of each latent frame, to lie under the maps of the video; none if they are not known */
export function renderHtml(inspection: Inspection, stills: readonly Buffer[] = []): string {
  const { strategy, description, sample, values, modalities, losses } = inspection;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${new Raw(generator)}
<title>${strategy} – ltxc inspect</title>
<style>${new Raw(style)}</style>
</head>
<body>
<header><h1>${strategy}</h1>${description === "" ? nothing : markup`<p>${description}</p>`}<p class="quiet">on ${sample}</p></header>
${stillPictures(stills)}
${modalities.map((view) => modalitySection(view, view.name === "video" && stills.length === view.grid.frames))}
<section><h2>Values</h2>${valuesTable(values)}</section>
<section><h2>Losses</h2>
<p class="quiet">With random numbers instead of the model’s prediction.</p>
<table><tr><th>term</th><th>modality</th><th class="number">value</th></tr>
${losses.map(({ name, modality, value }) => markup`<tr><td><code>${name}</code></td><td>${modality}</td><td class="number">${shortNumber(value)}</td></tr>`)}
</table></section>
${expectationsSection(inspection)}
</body>
</html>
`.text;
}

function expectationsSection({ expectations }: Inspection): Markup {
  if (expectations.length === 0) return nothing;
  const rows = expectations.map(
    ({ text, holds }) =>
      markup`<tr><td><code>${text}</code></td><td class="${holds ? "met" : "unmet"}">${holds ? "true" : "false somewhere: ltxc test says where"}</td></tr>
`,
  );
  return markup`<section><h2>Expectations</h2><div class="wide"><table>${rows}</table></div></section>`;
}

function valuesTable(values: readonly ValueRow[]): Markup {
  const rows = values.map(
    (
      row,
    ) => markup`<tr><td><code>${row.key}</code></td><td>${row.dtype}</td><td>${row.axes.join(", ") || "–"}</td><td>${times(shapeText(row))}</td><td>${rangeText(row)}</td></tr>
`,
  );
  return markup`<div class="wide"><table><tr><th>value</th><th>type</th><th>axes</th><th>shape</th><th>range</th></tr>
${rows}</table></div>`;
}

function modalitySection(view: ModalityView, hasStills: boolean): Markup {
  const { name, tokens, grid, parts, maps, attention, levels } = view;
  const references = parts.filter(({ isTarget }) => !isTarget);
  const before = references.map(({ source, grid }) => `${source} (${times(gridText(name, grid))})`).join(", ");
  return markup`<section>
<h2>${name === "video" ? "Video" : "Audio"}</h2>
<p>${times(gridText(name, grid))}, ${tokens} tokens${before === "" ? "" : `; in front of them ${before}`}</p>
${sharesFigure(view)}
<div class="cards">
${maps.map((map) => mapCard(map, hasStills && map.columns === "cells"))}
${attention === null ? nothing : markup`<article class="attention"><h3><code>attention</code></h3><p class="quiet">${attention.sequence} tokens; rows are queries, columns are keys</p>${attentionPicture(attention, parts)}</article>`}
${levels === null ? nothing : levelsCard(name, levels)}
</div>
</section>
`;
}

/** Kept and noised tokens, and those that each loss looks at, as bars of the same length. */
function sharesFigure({ generated, shares }: ModalityView): Markup {
  if (!generated) return markup`<p>Frozen: all tokens are clean, without a loss.</p>`;
  const rows = [
    { label: "kept", kind: "keep", share: shares.kept },
    { label: "noised", kind: "timesteps", share: shares.noised },
    ...shares.losses.map(({ name, share }) => ({ label: `loss ${name}`, kind: "weight", share })),
  ];
  return markup`<dl class="shares">${rows.map(
    ({ label, kind, share }) =>
      markup`<dt>${label}</dt><dd class="${kind}"><span class="track"><span style="width:${Number((share * 100).toFixed(2))}%"></span></span><b>${percent(share)}</b></dd>`,
  )}</dl>`;
}

function mapCard(map: TokenMap, hasStills: boolean): Markup {
  const kind = map.key.startsWith("weight.") ? "weight" : (map.key.split(".")[1] ?? "own");
  const { low, high } = scaleOf(map);
  const ends = map.kind === "mask" ? ["false", "true"] : [shortNumber(low), shortNumber(high)];
  const columns = map.columns === "cells" ? "" : `a column for each ${map.columns === "frames" ? "frame" : "step"}`;
  const title = map.key.startsWith("weight.")
    ? markup`weight of loss <code>${map.key.slice(7)}</code>`
    : markup`<code>${map.key}</code>`;
  return markup`<article class="${kind}"><h3>${title}</h3>
<p class="legend"><span>${ends[0] ?? ""}</span><span class="ramp ${map.kind}"></span><span>${ends[1] ?? ""}</span><span class="quiet">${columns}</span></p>
<div class="frames">${(hasStills ? eachFrame(map) : frameRuns(map)).map(([first, last]) => {
    const label = first === last ? `frame ${first}` : `frames ${first}–${last}`;
    const caption = map.columns === "cells" ? markup`<figcaption>${label}</figcaption>` : nothing;
    return markup`<figure>${framePicture(map, first, `${map.key}, ${label}`, hasStills ? stillId(first) : null)}${caption}</figure>
`;
  })}</div></article>
`;
}

const eachFrame = ({ grid }: TokenMap) => Array.from({ length: grid.frames }, (_, frame) => [frame, frame] as const);

/** First and last of successive frames that look the same. */
function frameRuns({ grid, data }: TokenMap): readonly (readonly [number, number])[] {
  const size = grid.height * grid.width;
  const same = (a: number, b: number) =>
    Array.from({ length: size }, (_, i) => i).every((i) => Object.is(data[a * size + i], data[b * size + i]));
  const runs: [number, number][] = [];
  for (let frame = 0; frame < grid.frames; frame++) {
    const previous = runs.at(-1);
    if (previous !== undefined && same(previous[0], frame)) previous[1] = frame;
    else runs.push([frame, frame]);
  }
  return runs;
}

function levelsCard(name: string, levels: NonNullable<ModalityView["levels"]>): Markup {
  const who = levels.isWritten ? markup`as <code>${name}.sigma</code> comes out` : "as the run’s sampler draws them";
  return markup`<article class="timesteps"><h3>noise levels</h3>
<p class="quiet">${who} for ${levels.tokens} tokens (${levels.draws} draws)</p>${levelsPicture(levels)}</article>`;
}

const times = (text: string): string => text.replaceAll(" x ", " × ");
