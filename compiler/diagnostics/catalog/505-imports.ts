import type { Entry } from "./entry.ts";

/** What imported functions do: their files and their results show it, not the text of the strategy. */
export const entries = [
  {
    code: "LTX5050",
    slug: "impure-import",
    title: "An imported function is not pure",
    explanation:
      "A step may be recorded once and replayed, and a resumed run must continue with the same numbers. So what an imported function returns may depend on its arguments alone: not on `Math.random`, on the time, on the environment, or on variables of the module that a call writes. The file is only read for this, it does not run. If the place is harmless, such as a counter for messages, allow the warning with `# allow: LTX5050` and the reason on the line of the import.",
    bad: "export function jitter(ops: Ops, x: Tensor): Tensor {\n  return ops.mul(x, Math.random());\n}",
    good: "export function jitter(ops: Ops, x: Tensor, by: Tensor): Tensor { // by: uniform(0, 1) of the strategy\n  return ops.mul(x, by);\n}",
  },
  {
    code: "LTX5051",
    slug: "import-fails",
    title: "An imported function failed, or returned another type than it declares",
    explanation:
      "The compiler trusts the type that `imports` declares for a function: lengths and axes of all that follows come from it. What the function returns is compared with it in every step. A reduction that keeps its axis, `[2, 1, 1]` in place of `[2]`, would otherwise be combined with other values in another way than the strategy says.",
    bad: "return ops.mean(ops.square(ops.sub(a, b)), [1, 2], true); // declared: f32[batch]",
    good: "return ops.mean(ops.square(ops.sub(a, b)), [1, 2]); // declared: f32[batch]",
  },
  {
    code: "LTX5052",
    slug: "import-differs",
    title: "A step differs when it is computed again",
    explanation:
      "`ltxc test` computes each step of a strategy with imports twice, on the same batch and with the same draws. The results must be the same, bit for bit; otherwise an imported function depends on something besides its arguments, and a resumed run would not continue as it began.",
    bad: "let calls = 0;\nexport function f(ops: Ops, a: Tensor): Tensor {\n  calls += 1;\n  return ops.mul(a, calls);\n}",
    good: "export function f(ops: Ops, a: Tensor, by: number): Tensor {\n  return ops.mul(a, by);\n}",
  },
] as const satisfies readonly Entry[];
