/** The part of a report's page with the samples: of each a sheet from the base model over the steps to the last one. */
import { escape } from "../shell/html.ts";
import type { RunRecord, SamplePicture } from "./read-run.ts";

/** One sample over the steps: that of the base model, then that of the first step. */
interface Sheet {
  /** "1", or "1_audio" */
  readonly name: string;
  readonly pictures: readonly (SamplePicture & { readonly step: number | null })[];
}

export function samplesPart({ samples: rows, samplesLeftOut: leftOut, metrics }: RunRecord): string {
  const sheets = sheetsOf(rows);
  if (sheets.length === 0) return "";
  const about = `<p class="sub">Frames of the videos, or where no video VAE was at hand, latents, one tile per channel. All steps draw with the same noise, so what changes is the training.</p>`;
  // What a run begins with changes nothing yet, unless it is of a file; where it does, the base model has samples of its own.
  const isBaseAtStart = typeof metrics.started[0]?.loaded !== "string";
  const rest = leftOut === 0 ? "" : `<p class="sub">${leftOut} more of steps in between are in samples/.</p>`;
  return about + sheets.map((sheet) => sheetPart(sheet, isBaseAtStart)).join("") + rest;
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
const nameOf = (file: string): string => file.replace(/^(step_\d+|base)_/, "").replace(/\.png$/, "");

/** With the steps in between folded away, the base model, the first and the last step are next to each other. */
function sheetPart({ name, pictures }: Sheet, isBaseAtStart: boolean): string {
  const hasBase = pictures[0]?.step === null;
  const front = pictures.slice(0, hasBase ? 2 : 1);
  const later = pictures.slice(front.length);
  const last = later.pop();
  const shown = (picture: Sheet["pictures"][number]): string => figure(picture, isBaseAtStart && !hasBase);
  const count = later.length === 1 ? "1 step" : `${later.length} steps`;
  const between = `<details><summary>${count} in between</summary>${later.map(shown).join("")}</details>`;
  const parts = [...front.map(shown), later.length === 0 ? "" : between, last === undefined ? "" : shown(last)];
  return `<div class="sheet"><h3>Sample ${escape(name.replace("_", ", "))}</h3>${parts.join("")}</div>`;
}

function figure({ step, name, png }: Sheet["pictures"][number], isBaseAtStart: boolean): string {
  const image = `<img alt="" loading="lazy" src="data:image/png;base64,${png.toString("base64")}">`;
  return `<figure>${image}<figcaption><span>${momentText(step, isBaseAtStart)}</span> <i>${escape(name)}</i></figcaption></figure>`;
}

function momentText(step: number | null, isBaseAtStart: boolean): string {
  if (step === null) return "base model";
  if (step !== 0) return `after step ${step}`;
  return isBaseAtStart ? "base model, before the training" : "before the training";
}
