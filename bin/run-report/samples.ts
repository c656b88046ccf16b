/** The part of a report's page with the samples: of each a sheet over the steps, from before the training to the last one. */
import { escape } from "../shell/html.ts";
import type { RunRecord, SamplePicture } from "./read-run.ts";

/** One sample over the steps, the first step first. */
interface Sheet {
  /** "1", or "1_audio" */
  readonly name: string;
  readonly pictures: readonly (SamplePicture & { readonly step: number })[];
}

export function samplesPart({ samples: rows, samplesLeftOut: leftOut }: RunRecord): string {
  const sheets = sheetsOf(rows);
  if (sheets.length === 0) return "";
  const about = `<p class="sub">Frames of the videos, or where no video VAE was at hand, latents, one tile per channel. All steps draw with the same noise, so what changes is the training.</p>`;
  const rest = leftOut === 0 ? "" : `<p class="sub">${leftOut} more of steps in between are in samples/.</p>`;
  return about + sheets.map(sheetPart).join("") + rest;
}

function sheetsOf(rows: RunRecord["samples"]): Sheet[] {
  const names = new Set(rows.flatMap(({ pictures }) => pictures.map(({ name }) => nameOf(name))));
  return [...names]
    .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .map((name) => ({
      name,
      pictures: rows.flatMap(({ step, pictures }) =>
        pictures.filter((picture) => nameOf(picture.name) === name).map((picture) => ({ ...picture, step })),
      ),
    }));
}

/** Of `step_000100_1_audio.png` the part behind the step. */
const nameOf = (file: string): string => file.replace(/^step_\d+_/, "").replace(/\.png$/, "");

/** With the steps in between folded away, the first and the last are next to each other. */
function sheetPart({ name, pictures }: Sheet): string {
  const [first, ...later] = pictures;
  const last = later.pop();
  const title = `<h3>Sample ${escape(name.replace("_", ", "))}</h3>`;
  const count = later.length === 1 ? "1 step" : `${later.length} steps`;
  const between = `<details><summary>${count} in between</summary>${later.map(figure).join("")}</details>`;
  const shown = [first, last].map((picture) => (picture === undefined ? "" : figure(picture)));
  return `<div class="sheet">${title}${shown.join(later.length === 0 ? "" : between)}</div>`;
}

function figure({ step, name, png }: Sheet["pictures"][number]): string {
  const image = `<img alt="" loading="lazy" src="data:image/png;base64,${png.toString("base64")}">`;
  const when = step === 0 ? "before the training" : `after step ${step}`;
  return `<figure>${image}<figcaption><span>${when}</span> <i>${escape(name)}</i></figcaption></figure>`;
}
