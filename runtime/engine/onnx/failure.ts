import type { Failure } from "../thread/failure.ts";

/** Takes apart what ONNX Runtime says when a graph fails. */
export function readFailure(message: string): Failure {
  const reason = message.replace(/^.*Status Message: /s, "").split("\n")[0] ?? "";
  const [, wanted] = /allocate memory for requested buffer of size (\d+)/.exec(reason) ?? [];
  const node = /Name:'([^']*)'/.exec(message)?.[1] ?? null;
  return { node, reason, wanted: wanted === undefined ? null : Number(wanted) };
}
