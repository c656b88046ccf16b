// Mistakes in what version 2 of the language added: each gives one finding, whose help says what is meant.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fixAll } from "./diagnostics/index.ts";
import { check } from "./index.ts";

const test = suite("one finding for one mistake");

/** Lines in place of those of a strategy that is right, by their sections; `sources` come in addition. */
type Parts = Readonly<Partial<Record<"sources" | "video" | "loss" | "more", string>>>;

const of = "mse(video.prediction, video.target)";

const strategy = ({ sources = "", video = "", loss = `  video: ${of} over video.generated`, more = "" }: Parts) =>
  `strategy: slip
language: 2
sources:
  latents: {directory: latents, kind: video_latents${sources.startsWith(",") ? sources : "}"}
  conditions: {directory: conditions, kind: text_embeddings}
${sources.startsWith(",") ? "" : sources}
video:
  latents: latents
${video}
loss:
${loss}
${more}
`;

const errorsOf = (text: string) =>
  check({ path: "slip.strategy", text }).diagnostics.filter(({ severity }) => severity === "error");

const ofPass = `  video: ${of} + mse(video.prediction, base.video.prediction)`;
const pass = (written: string): Parts => ({ more: `passes:\n  base: ${written}`, loss: ofPass });
const perceptual = (name: string) => `  p: ${of} + mae(${name}(video.denoised), ${name}(video.clean))`;
const network = (written: string): Parts => ({ more: `networks:\n  f: ${written}`, loss: perceptual("f") });
const depth = (written: string, loss: string): Parts => ({
  sources: `  depth: {directory: depth, kind: video_latents, ${written}}`,
  loss: `  video: ${of}\n  depth: ${loss}`,
});
const held = "mse(video.denoised, tokens(depth)) over has(depth)";
const mixed = (written: string, condition = "in(prior)"): Parts => ({
  more: `datasets:${written}`,
  loss: `  video: (if ${condition} then 0.5 else 1) * ${of}`,
});
const two = "\n  subject: {}\n  prior: {root: class, share: 0.5}";
const weight = (written: string, text = "insert(conditions, concept)"): Parts => ({
  more: `weights:${written}`,
  video: `  text: "${text}"`,
});
const concept = "\n  concept: {axes: [text: 8, hidden], like: conditions}";
const choice = (text: string): Parts => ({
  sources: "  empty: {file: empty.pt, kind: text_embeddings}",
  video: `  text: ${text}`,
});
const reference = (written: string): Parts => ({
  sources: "  style: {directory: style, kind: video_latents}",
  video: `  references:${written}`,
});
const kept = (keep: string, more = ""): Parts => ({ video: `  keep: ${keep}`, more });
const expected = (entry: string): Parts => ({ more: `expect:\n  - ${entry}` });

/** The mistake, its code, and a part of the help. */
const slips: readonly (readonly [Parts, string, string])[] = [
  // Lengths
  [kept("prefix(n)", "params: {n: {type: number, default: 2, unit: frames}}"), "LTX2004", "`lf` (latent frames)"],
  [kept("prefix(n)", "params: {n: {type: number, default: 2, unit: sec}}"), "LTX2004", "write `s`"],
  [kept("prefix(n)", "params: {n: {type: integer, default: 2lf}}"), "LTX5010", "`default: 2, unit: lf`"],
  [kept("prefix(n)", "params: {n: {type: integer, default: 2lf, unit: lf}}"), "LTX5010", "write `default: 2`"],
  [kept("prefix(2 lf)"), "LTX1102", "write `2lf`"],
  [kept('"crop(0, 0, 64 px, 64 px)"'), "LTX1102", "write `64px`"],
  [kept("prefix(2 frames)"), "LTX1102", "`2lf` for latent frames"],
  [kept("first 3 frames"), "LTX1101", "`prefix(3lf)`"],
  [kept('"video[0:2]"'), "LTX1107", "`prefix(2lf)`"],
  [kept("prefix(n)", "params: {n: {type: number, default: 25, units: lf}}"), "LTX2001", "`unit`"],
  [kept("prefix(n)", "params: {n: {type: number, default: 25, unit: percent}}"), "LTX2004", '`"%"`, in quotes'],
  [kept("frame_index < 2s"), "LTX4053", "`time` counts seconds"],
  [kept("time < 2lf"), "LTX4053", "`frame_index` counts latent frames"],
  [kept('"crop(0, 0, 1, 0.5px)"'), "LTX4051", "`100%`"],
  [kept('"dilate(first_frame, 64px)"'), "LTX4054", "write `2`"],
  [{ video: '  sigma: "uniform(0%, 50%)"' }, "LTX4054", "`0.5`"],
  // Passes
  [pass("{adapters: {ema: 0.99}}"), "LTX2004", "`ema`"],
  [pass("{adapter: false}"), "LTX2001", "`adapters: false`"],
  [pass("{lora: false}"), "LTX2001", "`adapters: false`"],
  [pass("{adapters: off}"), "LTX2004", "write `false`"],
  [pass('{adapters: "false"}'), "LTX2004", "`false` without quotes"],
  [pass("{gradient: true}"), "LTX2004", "write `through`"],
  [pass("{adapters: false, video: {keep: first_frame}}"), "LTX2001", "the step's own"],
  [pass("{adapters: false, sigma: 0.5}"), "LTX2001", "`passes.<name>.video` or `passes.<name>.audio`"],
  [{ ...pass("{}"), more: "passes:\n  - name: base\n    adapters: false" }, "LTX2003", "`base: {adapters: false}`"],
  [{ ...pass("{}"), more: "passes: [base]" }, "LTX2003", "`base: {adapters: false}`"],
  [{ ...pass("{}"), more: "passes: base" }, "LTX2003", "`name: …`"],
  [{ ...pass("{adapters: false}"), loss: "  video: mse(base.video.prediction, video.target)" }, "LTX5060", "`base`"],
  [
    { ...pass("{adapters: false}"), loss: `  video: ${of} + mean(base(video.noisy))` },
    "LTX4011",
    "base.video.prediction",
  ],
  [
    {
      more: `passes:
  teacher: {adapters: ema}
  near: {adapters: ema, video: {noisy: video.noisy - 0.1 * teacher.video.prediction}}`,
    },
    "LTX5061",
    "`near.video.prediction`",
  ],
  [pass("{gradient: through, video: {sigma: video.sigma + mean(video.predicton)}}"), "LTX3004", "`prediction`"],
  // What is read too early, by way of other values, too
  [
    {
      video: `  keep: mean(prediction, axis=channel) > 0
  noisy: clean + timesteps * noise
  denoised: noisy - timesteps * prediction`,
    },
    "LTX5015",
    "can be read in `denoised`",
  ],
  // Draws
  [{ video: "  noise: randn() + 0.1 * (randn() per (frame, frame))" }, "LTX4013", "leave out `frame`"],
  [{ video: '  sigma: "uniform(0, 1) per (token, height)"' }, "LTX4013", "leave out `height`"],
  [{ video: '  sigma: "uniform(0, 1) per (batch, frame)"' }, "LTX4013", "`per frame`"],
  // Reductions
  [{ loss: `  v: ${of} * min(video.frames, channel)` }, "LTX4005", "needs no reduction"],
  // Networks
  [network("{layers: [conv 32, relu], from: f.safetensors}"), "LTX2001", "`architecture:`"],
  [network("{architecture: [conv 32, relu], path: f.safetensors}"), "LTX2001", "`from:`"],
  [network("{architecture: vae_decoder}"), "LTX5079", "`ltx_video_decoder`"],
  [network('{architecture: "conv 32, relu", from: f.safetensors}'), "LTX5079", "`architecture: [conv 32, relu]`"],
  [network("{architecture: [Conv3d(32)], from: f.safetensors}"), "LTX5079", "write `conv 32`"],
  [network("{architecture: ltx_video_decoder, window: 8}"), "LTX2003", "`window: {frames: 2, height: 8, width: 8}`"],
  [network("{architecture: ltx_video_decoder, window: {frames: 2, rows: 8}}"), "LTX2001", "`height:`"],
  [network("{architecture: ltx_video_decoder, window: {frames: 2lf}}"), "LTX2003", "write 2, without a unit"],
  [{ ...network(""), more: "networks:\n  - f: {architecture: ltx_video_decoder}" }, "LTX2003", "leave `- ` out"],
  [
    { ...network(""), more: "let: {f: 3}\nnetworks:\n  f: {architecture: ltx_video_decoder}" },
    "LTX3002",
    "rename one of them",
  ],
  [
    {
      more: "passes:\n  f: {adapters: false}\nnetworks:\n  f: {architecture: ltx_video_decoder}",
      loss: perceptual("f"),
    },
    "LTX3002",
    "rename one of them",
  ],
  [
    {
      more: "let: {f: 3}\npasses:\n  f: {adapters: false}",
      loss: `  v: ${of} + mse(video.prediction, f.video.prediction)`,
    },
    "LTX3002",
    "rename one of them",
  ],
  [{ loss: perceptual("decode") }, "LTX3001", "`networks: {decode: {architecture: ltx_video_decoder}}`"],
  [network("{architecture: [linear 16, dropout], from: f.safetensors}"), "LTX5079", "leave it out"],
  [
    { more: "let: {m: 2}\noutputs: {m: {tap: block 1, modality: video}}", loss: `  v: ${of} + mean(m^2)` },
    "LTX3002",
    "rename one of them",
  ],
  [{ more: "params: {latents: {type: number, default: 1}}" }, "LTX3002", "rename one of them"],
  // Sources that some samples lack
  [
    { sources: "  m: {directory: m, kind: video_mask, optional: true}", video: "  keep: m > 0.5" },
    "LTX5073",
    "for a mask `has(m) and …`",
  ],
  [{ sources: ", optional: true}" }, "LTX5074", "remove `optional`"],
  [depth("optional: yes", held), "LTX2003", "write `true`"],
  [depth("required: false", held), "LTX2001", "`optional: true`"],
  [depth("optional: true", held.replace("has(depth)", 'has("depth")')), "LTX1102", "`has(depth)`, without quotes"],
  [depth("optional: true", "if depth then 1 else mean(video.prediction^2)"), "LTX4001", "`has(depth)`"],
  [depth("optional: true", "if depth.exists then 1 else mean(video.prediction^2)"), "LTX3004", "`has(depth)`"],
  [{ loss: `  video: ${of} over has(dept)` }, "LTX3001", "`dept: {directory: …, kind: …, optional: true}`"],
  // Data sets
  [mixed(" [subject, prior]"), "LTX2003", "`subject: {"],
  [mixed("\n  subject: {}\n  prior: {root: class, share: 25%}"), "LTX5075", "`share: 0.25`"],
  [mixed("\n  subject: {}\n  prior: {root: class, share: 1}"), "LTX2005", "one data set has none"],
  [mixed("\n  subject: {}\n  prior: {root: class, share: 0.5, without: [latents]}"), "LTX5074", "is without it"],
  [mixed("\n  subject: {}\n  prior: {root: class, share: 0.5, without: [dept]}"), "LTX3001", "sources are `latents`"],
  [mixed(two, 'in("prior")'), "LTX1102", "`in(prior)`, without quotes"],
  [mixed(two, "sample in prior"), "LTX1102", "write `in(prior)`"],
  [mixed('\n  subject: {}\n  prior: {root: class, share: "${s}"}'), "LTX5075", "`share: s`"],
  [
    mixed("\n  subject: {}\n  prior: {root: /data/class, share: 0.5}"),
    "LTX2006",
    "`runtime: {datasets: {prior: /data/class}}`",
  ],
  [{ ...mixed(two), sources: "  prior: {directory: prior, kind: video_latents}" }, "LTX3002", "rename one of them"],
  // Texts and weights
  [weight(concept, "insert(conditions, concept, concept)"), "LTX5071", "leave one of them out"],
  [{ video: '  noise: "assigned(clean, randn())"' }, "LTX4041", "`assigned(randn(), clean)`"],
  [
    choice("if bernoulli(0.1) then empty else conditions"),
    "LTX5014",
    "`text: [empty with probability 0.1, conditions]`",
  ],
  [{ ...choice(""), video: "" }, "LTX5008", "`text: [conditions with probability 0.1, empty]`"],
  [weight(" [concept]"), "LTX2003", "`concept: {axes: [text: 8, hidden], like: conditions}`"],
  [weight("\n  concept: {axes: 8, like: conditions}"), "LTX2003", "`axes: [text: 8, hidden]`"],
  [weight("\n  concept: {axes: [text: 8, hidden]}"), "LTX2002", "`like: conditions`"],
  [weight("\n  concept: {axes: [text: n, hidden], like: conditions}"), "LTX5067", "which no parameter can give"],
  [weight("\n  concept: {shape: 8, axes: [text: 8, hidden], like: conditions}"), "LTX2001", "`axes:`"],
  [weight(concept, "insert(concept, conditions)"), "LTX5071", "`insert(conditions, concept)`"],
  [weight(concept, "concept"), "LTX5071", "`insert(conditions, concept)`"],
  [weight(concept, "conditions + concept"), "LTX5071", "`insert(conditions, concept)`"],
  // References
  [reference("\n    - {name: style, sigma: 0.1}"), "LTX2001", "`source:`"],
  [reference("\n    - {source: style, p: 0.5}"), "LTX2001", "`probability:`"],
  [reference("\n    - {source: style, strength: 0.5}"), "LTX2001", "`sigma:`"],
  [reference("\n    style: {sigma: 0.1}"), "LTX2003", "`- {source: style, sigma: 0.1}`"],
  [reference(" {source: style, sigma: 0.1}"), "LTX2003", "behind `- `"],
  [reference("\n    - {source: style with probability 0.5, sigma: 0.1}"), "LTX1108", "`probability: 0.5`"],
  // Shares and averages
  [expected("mean(video.sigma) about"), "LTX1101", "a number or a parameter"],
  [expected("mean(video.sigma) about 0.5 within"), "LTX1101", "a number or a parameter"],
  [expected("mean(video.sigma) about 3s"), "LTX4054", "write `3`"],
  [expected("any(video.keep, axis=token) about 3s"), "LTX4054", "`about 0.1`"],
  [expected("mean(video.sigma) about 0.5 within 3lf"), "LTX4054", "write `3`"],
  [expected("any(video.keep, axis=token) about 10%"), "LTX4054", "write `0.1`"],
  [expected("mean(video.sigma) ~ 0.5"), "LTX1102", "`mean(video.sigma) about 0.5`"],
  [expected("mean(video.sigma) approx 0.5"), "LTX1102", "`mean(video.sigma) about 0.5`"],
  [expected("mean(video.sigma) about 0.5 +- 0.2"), "LTX1102", "`mean(video.sigma) about 0.5 within 0.2`"],
  [expected("{value: mean(video.sigma), about: 0.5}"), "LTX2003", "`mean(video.sigma) about 0.5`"],
  [expected("mean(video.sigma) about 0.5 and video.first_frame"), "LTX1102", "entries of their own"],
  [expected("mean(video.sigma) between 0.4 and 0.6"), "LTX1102", "`mean(video.sigma) about 0.5 within 0.1`"],
  [{ more: "expect:\n  mean(video.sigma): 0.5" }, "LTX2003", "`- mean(video.sigma) about 0.5`"],
];

for (const [parts, code, help] of slips)
  test(`${code} for ${Object.values(parts).join(" ").trim().replaceAll(/\s+/g, " ")}`, async () => {
    const text = strategy(parts);
    const found = errorsOf(text);
    assert.equal(
      found.map((each) => each.code),
      [code],
    );
    assert.match(found[0]?.help ?? "", help);
    // A fix leaves none of its own finding.
    const fixed = await fixAll(text, errorsOf);
    if (found[0]?.fix !== undefined) assert.equal(errorsOf(fixed.text), []);
  });

test("a pass says nothing of a modality whose section has a mistake", () => {
  const text = strategy(pass("{adapters: false, video: {text: conditions}}"));
  assert.equal(
    errorsOf(text.replace("  latents: latents", "  latents: conditions")).map(({ code }) => code),
    ["LTX5014"],
  );
});

test.run();
