/** The official trainer takes attention masks with as many samples as the batch has. */
import type { Core } from "../../2-check/core.ts";
import type { Program } from "../../3-lower/program.ts";

/** The program with a batch axis in front of attention masks that are the same for all samples. */
export function withWholeMasks(program: Program): Program {
  const prepare = program.prepare.map((statement) => {
    const { key, core } = statement;
    return isMask(key) && !core.type.axes.includes("batch") ? { ...statement, core: repeated(core) } : statement;
  });
  return { ...program, prepare };
}

const isMask = (key: string): boolean => /(^|\.)(video|audio)\.attention$/.test(key);

function repeated(core: Core): Core {
  const type = { ...core.type, axes: ["batch", ...core.type.axes] };
  // A mask is repeated before it becomes numbers.
  if (core.op === "map" && core.fn === "float") return { ...core, args: core.args.map(repeated), type };
  if (core.op === "broadcast" || (core.op === "ref" && isMask(core.key))) return { ...core, type };
  return { op: "broadcast", arg: core, type, span: core.span };
}
