/**
 * Mistakes that people make in strategies, as edits of a right one. Each mutator finds the places where its mistake can be made; the
 * kinds are those under which the results are published.
 */
import {
  argument,
  calls,
  itemsOf,
  lineAfter,
  lineOf,
  members,
  modalitiesOf,
  ofKind,
  replace,
  sourceNames,
  textOf,
  withoutLetter,
  type Mutator,
} from "./mutation-target.ts";
import { mutatorsOfCalls } from "./mutators-of-calls.ts";

export const mutators: readonly Mutator[] = [
  {
    kind: "a mask is inverted",
    mutants: (target) =>
      itemsOf(target.syntax).map(({ value }) => replace(value.span, `not (${textOf(target, value.span)})`)),
  },
  {
    kind: "`keep` and `noise_mask` are mixed up",
    mutants: ({ syntax }) =>
      modalitiesOf(syntax).flatMap(({ keep, noiseMask }) => [
        ...(keep === null || keep.items.length > 1 ? [] : [replace(keep.keySpan, "noise_mask")]),
        ...(noiseMask === null ? [] : [replace(noiseMask.keySpan, "keep")]),
      ]),
  },
  {
    kind: "a comparison is reversed",
    mutants: (target) =>
      ofKind(target, "binary").flatMap(({ operator, operatorSpan }) =>
        operator === "<" ? [replace(operatorSpan, ">=")] : operator === ">" ? [replace(operatorSpan, "<=")] : [],
      ),
  },
  {
    kind: "`and` and `or` are mixed up",
    mutants: (target) =>
      ofKind(target, "binary").flatMap(({ operator, operatorSpan }) =>
        operator === "and" ? [replace(operatorSpan, "or")] : operator === "or" ? [replace(operatorSpan, "and")] : [],
      ),
  },
  {
    kind: "a value of the other modality",
    mutants: (target) =>
      ofKind(target, "member").flatMap(({ object }) => {
        if (object.kind !== "name") return [];
        if (object.name === "video") return [replace(object.span, "audio")];
        return object.name === "audio" ? [replace(object.span, "video")] : [];
      }),
  },
  {
    kind: "`over` is forgotten",
    mutants: (target) => ofKind(target, "over").map(({ value, span }) => replace(span, textOf(target, value.span))),
  },
  {
    kind: "a loss over kept tokens",
    mutants: (target) => members(target, "generated").map(({ member }) => replace(member.span, "keep")),
  },
  {
    kind: "a weight per sample after `over`",
    mutants: (target) => ofKind(target, "over").map(({ mask }) => replace(mask.span, "video.sigma")),
  },
  {
    kind: "a threshold is forgotten",
    mutants: (target) =>
      ofKind(target, "binary")
        .filter(({ operator }) => operator === ">" || operator === "<" || operator === ">=")
        .map(({ left, span }) => replace(span, textOf(target, left.span))),
  },
  {
    kind: "a mask in place of a number",
    mutants: (target) =>
      calls(target, "float").flatMap((call) => argument(call, 0, "")).length === 0
        ? members(target, "target", "clean").map(({ span }) =>
            replace(span, `${textOf(target, span).split(".")[0]}.generated`),
          )
        : calls(target, "float").map(({ args, span }) =>
            replace(span, args[0] === undefined ? "" : textOf(target, args[0].value.span)),
          ),
  },
  {
    kind: "a reduction over another axis, or over all",
    mutants: (target) =>
      calls(target, "mean", "sum", "max", "min", "norm").flatMap((call) => {
        const [first, axis] = call.args;
        if (first === undefined || axis === undefined || axis.value.kind !== "name") return [];
        return [
          replace(axis.value.span, axis.value.name === "token" ? "channel" : "token"),
          replace({ start: first.value.span.end, end: axis.value.span.end }, ""),
        ];
      }),
  },
  {
    kind: "`tokens` or `grid` is forgotten",
    mutants: (target) =>
      calls(target, "tokens", "grid").map(({ args, span }) =>
        replace(span, args[0] === undefined ? "" : textOf(target, args[0].value.span)),
      ),
  },
  {
    kind: "one source is written in place of another",
    mutants: (target) => {
      const names = sourceNames(target);
      return ofKind(target, "name").flatMap(({ name, span }) =>
        names.includes(name) ? names.filter((other) => other !== name).map((other) => replace(span, other)) : [],
      );
    },
  },
  {
    kind: "the latents of another source",
    mutants: (target) =>
      modalitiesOf(target.syntax).flatMap(({ latents }) =>
        latents === null
          ? []
          : sourceNames(target)
              .filter((name) => name !== textOf(target, latents.value.span))
              .map((name) => replace(latents.value.span, name)),
      ),
  },
  {
    kind: "a source of the wrong kind",
    mutants: (target) =>
      target.syntax.sources.flatMap(({ kind }) => {
        if (kind === null) return [];
        const other = kind.text === "video_latents" ? "video_mask" : "video_latents";
        return [replace(kind.span, other)];
      }),
  },
  {
    kind: "a misspelt name",
    mutants: (target) => [
      ...ofKind(target, "name").map(({ name, span }) => replace(span, withoutLetter(`${name}_`))),
      ...ofKind(target, "member").map(({ member }) => replace(member.span, withoutLetter(`${member.text}x`))),
    ],
  },
  {
    kind: "a misspelt key",
    mutants: ({ syntax }) =>
      [...syntax.keySpans].filter(([key]) => key.length > 3).map(([key, span]) => replace(span, withoutLetter(key))),
  },
  {
    kind: "the prefix of a modality is forgotten",
    mutants: (target) =>
      ofKind(target, "member").flatMap(({ object, member }) =>
        object.kind === "name" && (object.name === "video" || object.name === "audio")
          ? [replace({ start: object.span.start, end: member.span.start }, "")]
          : [],
      ),
  },
  {
    kind: "the prediction is read before the model runs",
    mutants: (target) =>
      itemsOf(target.syntax).map(({ value }) =>
        replace(value.span, `(${textOf(target, value.span)}) and mean(prediction, channel) > 0`),
      ),
  },
  {
    kind: "a modality with a loss is frozen",
    mutants: (target) =>
      modalitiesOf(target.syntax)
        .filter(({ generate }) => generate === null)
        .map(({ latents, keySpan }) => lineAfter(target, latents?.keySpan ?? keySpan, "generate: false")),
  },
  {
    kind: "a frozen modality is generated",
    mutants: (target) =>
      modalitiesOf(target.syntax).flatMap(({ generate }) =>
        generate === null ? [] : [[{ span: lineOf(target, generate.keySpan), text: "" }]],
      ),
  },
  {
    kind: "a loss term is missing",
    mutants: (target) =>
      target.syntax.losses.length === 1
        ? []
        : target.syntax.losses.map(({ name }) => [{ span: lineOf(target, name.span), text: "" }]),
  },
  {
    kind: "a probability or a level in percent",
    mutants: (target) => [
      ...itemsOf(target.syntax).flatMap(({ probability }) =>
        probability?.kind === "number" ? [replace(probability.span, String(100 * probability.value))] : [],
      ),
      ...modalitiesOf(target.syntax).map(({ latents, keySpan }) =>
        lineAfter(target, latents?.keySpan ?? keySpan, "sigma: 50"),
      ),
    ],
  },
  {
    kind: "a draw over the wrong axes",
    mutants: (target) =>
      ofKind(target, "per").flatMap(({ axes }) =>
        axes.map(({ text, span }) => replace(span, text === "step" ? "frame" : "step")),
      ),
  },
  {
    kind: "arguments in the wrong order",
    mutants: (target) =>
      calls(target, "huber", "shift", "blur", "dilate", "clamp", "cosine_distance").flatMap(({ args }) => {
        const [first, last] = [args[0], args.at(-1)];
        if (first === undefined || last === undefined || first === last) return [];
        return [
          [
            { span: first.value.span, text: textOf(target, last.value.span) },
            { span: last.value.span, text: textOf(target, first.value.span) },
          ],
        ];
      }),
  },
  {
    kind: "a parameter's default is outside its range",
    mutants: (target) =>
      target.syntax.params.flatMap(({ schema, node }) => {
        const wrong = typeof schema["minimum"] === "number" ? schema["minimum"] - 1 : null;
        const place = /default: ?([^,}\n]+)/.exec(textOf(target, node.span));
        if (wrong === null || place === null) return [];
        const start = node.span.start + place.index + place[0].length - (place[1]?.length ?? 0);
        return [replace({ start, end: start + (place[1]?.length ?? 0) }, String(wrong))];
      }),
  },
  {
    kind: "a directory that leaves the data root",
    mutants: (target) =>
      target.syntax.sources.flatMap(({ directory }) =>
        directory === null || textOf(target, directory.span).startsWith('"')
          ? []
          : [replace(directory.span, `../${textOf(target, directory.span)}`)],
      ),
  },
  {
    kind: "`key(…)` is forgotten in `attention`",
    mutants: (target) =>
      calls(target, "key").map(({ args, span }) =>
        replace(span, args[0] === undefined ? "" : textOf(target, args[0].value.span)),
      ),
  },
  {
    kind: "pixel frames instead of latent frames",
    mutants: (target) =>
      calls(target, "prefix", "suffix").map(({ args, span }) => {
        const [n] = args;
        return n === undefined ? replace(span, "") : replace(n.value.span, `8 * ${textOf(target, n.value.span)}`);
      }),
  },
  {
    kind: "a length in another unit",
    mutants: (target) =>
      calls(target, "prefix", "suffix", "crop").flatMap(({ args, callee }) =>
        args.flatMap(({ value }) =>
          (callee.text === "crop" ? ["lf", "%"] : ["px", "f", "s", "%"]).map((unit) =>
            replace(value.span, `(${textOf(target, value.span)}) * 1${unit}`),
          ),
        ),
      ),
  },
  {
    kind: "a unit where no length stands",
    mutants: (target) => [
      ...itemsOf(target.syntax).flatMap(({ probability }) =>
        probability?.kind === "number" ? [replace(probability.span, `${100 * probability.value}%`)] : [],
      ),
      ...calls(target, "blur", "dilate", "shift", "huber").flatMap((call) => {
        const last = call.args.at(-1)?.value;
        return last?.kind === "number" ? [replace(last.span, `${last.value}px`)] : [];
      }),
    ],
  },
  {
    kind: "`has` or `in` asks for another source or data set, or the other way round",
    mutants: (target) =>
      calls(target, "has", "in").flatMap((call) => {
        const { datasets, sources } = target.syntax;
        const [name] = call.args;
        if (name?.value.kind !== "name") return [];
        const own = name.value.name;
        const others = (call.callee.text === "in" ? datasets : sources).filter((other) => other.name.text !== own);
        return [
          replace(call.span, `(not ${textOf(target, call.span)})`),
          ...others.flatMap((other) => argument(call, 0, other.name.text)),
        ];
      }),
  },
  {
    kind: "`has` or `in` is forgotten",
    mutants: (target) => calls(target, "has", "in").map(({ span }) => replace(span, "true")),
  },
  {
    kind: "the target has the wrong sign",
    mutants: (target) => members(target, "target").map(({ span }) => replace(span, `-${textOf(target, span)}`)),
  },
  {
    kind: "the prediction is compared with the noise or the noisy tokens instead of the target",
    mutants: (target) =>
      members(target, "target").flatMap(({ member }) => [replace(member.span, "noise"), replace(member.span, "noisy")]),
  },
  {
    kind: "a target that the file defines has the wrong sign",
    mutants: (target) =>
      modalitiesOf(target.syntax)
        .filter(({ generate }) => generate?.value !== false)
        .map(({ latents, keySpan }) => lineAfter(target, latents?.keySpan ?? keySpan, "target: clean - noise")),
  },
  {
    kind: "the noise level is not shared",
    mutants: (target) =>
      modalitiesOf(target.syntax).flatMap(({ sigma }) =>
        sigma?.value.kind === "member" ? [[{ span: lineOf(target, sigma.keySpan), text: "" }]] : [],
      ),
  },
  {
    kind: "references are forgotten",
    mutants: (target) =>
      modalitiesOf(target.syntax).flatMap(({ references }) =>
        references === null || textOf(target, references.span).includes("\n")
          ? []
          : [[{ span: lineOf(target, references.keySpan), text: "" }]],
      ),
  },
  ...mutatorsOfCalls,
];
