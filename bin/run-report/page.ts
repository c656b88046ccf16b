import { generator } from "../../runtime/files/index.ts";
import { bytes, duration } from "../shell/text.ts";
import { smoothed } from "../run-view/smooth.ts";
import { charts } from "./charts.ts";
import type { Step } from "./metrics.ts";
import { escape } from "../shell/html.ts";
import type { RunRecord } from "./read-run.ts";
import { samplesPart } from "./samples.ts";
import { style } from "./style.ts";

/** One page that shows a run, with everything inside: no scripts, no address is fetched. */
export function page(run: RunRecord): string {
  const { metrics } = run;
  const strategy = metrics.started.at(-1)?.strategy;
  const title = `${escape(run.name)}${strategy === undefined ? "" : ` · ${escape(String(strategy))}`}`;
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    generator,
    `<title>${title}</title><style>${style}</style></head><body>`,
    `<h1>${title}${stateOf(run)}</h1>`,
    `<p class="sub">${escape(origin(run))}</p>`,
    facts(run),
    notices(run),
    charts(metrics),
    section("Samples", samplesPart(run)),
    checkpoints(run),
    optimization(run),
    environment(run),
    sources(run),
    "</body></html>",
    "",
  ].join("\n");
}

function stateOf({ metrics }: RunRecord): string {
  if (metrics.end === "finished") return '<span class="state">finished</span>';
  return `<span class="state open">${metrics.end === "interrupted" ? "stopped" : "not finished"}</span>`;
}

function origin({ metrics }: RunRecord): string {
  const [first] = metrics.started;
  if (first === undefined) return "";
  const again = metrics.started.length - 1;
  const when = typeof first.time === "string" ? `begun ${first.time.slice(0, 16).replace("T", " ")} UTC` : "";
  const resumed = again === 0 ? "" : `gone on ${again === 1 ? "once" : `${again} times`}`;
  const loaded = typeof first.loaded === "string" ? `from ${first.loaded}` : "";
  return [when, resumed, loaded].filter((part) => part !== "").join(" · ");
}

type Fact = readonly [name: string, value: string, note?: string];

function facts({ metrics }: RunRecord): string {
  const { steps, evaluations } = metrics;
  const last = steps.at(-1);
  const losses = smoothed(steps.map(({ loss }) => loss));
  const begin = metrics.started.at(-1);
  const sum = (values: readonly number[]) => values.filter(Number.isFinite).reduce((a, b) => a + b, 0);
  const seconds = sum(steps.map((step) => step.secondsPerStep));
  const waiting = sum(steps.map((step) => step.waitSeconds));
  const known = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value);
  const [firstEvaluation, lastEvaluation] = [evaluations[0]?.loss, evaluations.at(-1)?.loss];
  const list: (Fact | null)[] = [
    last === undefined ? null : ["Steps", `${last.globalStep} of ${last.steps}`],
    known(losses.at(-1)) ? ["Loss, smoothed", fixed(losses.at(-1)), `began at ${fixed(losses[0])}`] : null,
    known(lastEvaluation) ? ["Evaluation", fixed(lastEvaluation), `began at ${fixed(firstEvaluation)}`] : null,
    seconds > 0
      ? ["Time in steps", duration(seconds), `${((100 * waiting) / seconds).toFixed(1)} % waiting for data`]
      : null,
    seconds > 0 ? ["Pace", `${(seconds / steps.length).toPrecision(3)} s/step`] : null,
    known(last?.tokensPerSecond) ? tokensFact(last) : null,
    last === undefined || last.gpuName === "" ? null : gpuFact(last),
    known(last?.peakMemoryBytes) ? ["Peak memory", bytes(last.peakMemoryBytes)] : null,
    known(begin?.samples) ? ["Samples", begin.samples.toLocaleString("en")] : null,
    known(begin?.trainableParameters) ? ["Trained numbers", begin.trainableParameters.toLocaleString("en")] : null,
  ];
  const cards = list.flatMap((fact) => (fact === null ? [] : [card(fact)]));
  return `<dl class="facts">${cards.join("")}</dl>`;
}

const whole = (x: number): string => Math.round(x).toLocaleString("en");

function tokensFact({ tokensPerSecond, flopsPerSecond }: Step): Fact {
  const work = `${whole(flopsPerSecond / 1e9)} GFLOP/s in matrix products`;
  const pace = `${whole(tokensPerSecond)} a second`;
  return Number.isFinite(flopsPerSecond) ? ["Tokens", pace, work] : ["Tokens", pace];
}

function gpuFact({ gpu, gpuName, mfu }: Step): Fact {
  const share = Number.isFinite(mfu) ? `${whole(100 * mfu)} % of its peak (MFU), ` : "";
  const memory = `${bytes(gpu["memoryBytes"] ?? NaN)} of ${bytes(gpu["memoryTotalBytes"] ?? NaN)}`;
  return ["GPU", gpuName, `${share}${memory} in use`];
}

const fixed = (value: number | undefined): string => (value ?? Number.NaN).toFixed(4);

function card([name, value, note]: Fact): string {
  const small = note === undefined ? "" : `<small>${escape(note)}</small>`;
  return `<div><dt>${escape(name)}</dt><dd>${escape(value)}${small}</dd></div>`;
}

function notices({ metrics }: RunRecord): string {
  const { damaged, steps, warnings } = metrics;
  const said = [
    ...(damaged === 0
      ? []
      : [`${damaged} line${damaged === 1 ? "" : "s"} of metrics.jsonl could not be read and left out here.`]),
    ...(steps.length === 0 ? ["No step was done yet."] : []),
    ...new Set(warnings),
  ];
  return said.map((line) => `<p class="notice">${escape(line)}</p>`).join("");
}

function section(title: string, content: string): string {
  return content === "" ? "" : `<h2>${escape(title)}</h2>\n${content}`;
}

function checkpoints(run: RunRecord): string {
  const rows = run.checkpoints.map(
    ({ name, bytes: size }) => `<tr><td>${escape(name)}</td><td class="n">${bytes(size)}</td></tr>`,
  );
  const head = '<tr><th>file in checkpoints/</th><th class="n">size</th></tr>';
  return section("Checkpoints", rows.length === 0 ? "" : `<table>${head}${rows.join("")}</table>`);
}

/** What the run config asks for beyond the official format, as it was told. */
function optimization({ metrics }: RunRecord): string {
  const asked: unknown = metrics.started.at(-1)?.optimization;
  if (typeof asked !== "object" || asked === null) return "";
  const rows = Object.entries(asked).map(
    ([key, value]) => `<tr><th>${escape(key)}</th><td>${escape(JSON.stringify(value))}</td></tr>`,
  );
  return section("runtime.optimization", rows.length === 0 ? "" : `<table>${rows.join("")}</table>`);
}

function environment({ metrics }: RunRecord): string {
  const last = metrics.started.at(-1);
  const { memoryBytes: memory, ...machine } = last?.environment ?? {};
  const found: Readonly<Record<string, unknown>> = {
    engine: last?.engine,
    ...machine,
    memory: typeof memory === "number" ? bytes(memory) : undefined,
  };
  const rows = Object.entries(found).flatMap(([key, value]) =>
    value === undefined ? [] : [`<tr><th>${escape(key)}</th><td>${escape(String(value))}</td></tr>`],
  );
  return section("Environment", rows.length === 0 ? "" : `<table>${rows.join("")}</table>`);
}

function sources({ config, strategies, metrics }: RunRecord): string {
  const texts = strategies.map(({ name, text }) => section(name, `<pre>${escape(text)}</pre>`));
  const { strategy, sourceHash } = metrics.started.at(-1) ?? {};
  const missing = `<p class="sub">Its source was not kept with the run (SHA-256 ${escape(String(sourceHash))}).</p>`;
  const unknown = texts.length === 0 && strategy !== undefined ? section(`Strategy ${strategy}`, missing) : "";
  return texts.join("") + unknown + section("Run config", config === null ? "" : `<pre>${escape(config)}</pre>`);
}
