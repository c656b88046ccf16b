/** Calls of imported functions: arguments are brought into the declared order of axes, the result has the declared type. */
import type { FunctionType, ValueType } from "../1-parse/function-type.ts";
import { familyOf, isPixelAxis } from "./axes.ts";
import { failed, hasArguments, values, type Call } from "./call.ts";
import { broadcastTo, isMask } from "./combine.ts";
import { describe, hostNumber, poisoned, tensor, type Core, type Type } from "./core.ts";
import { spanOf } from "./report.ts";

export function importedCall(call: Call, type: FunctionType | null): Core {
  if (type === null || !hasArguments(call, type.parameters.length)) return failed(call);
  const given = values(call);
  if (given === null) return failed(call);
  const args = type.parameters.map((parameter, i) => argument(call, given[i] ?? poisoned(null), parameter.type));
  if (args.some((arg) => arg.op === "error")) return failed(call);
  return { op: "import", name: call.name, args, type: typeOf(type.result), span: call.span };
}

function typeOf({ dtype, axes }: ValueType): Type {
  if (dtype === "number") return hostNumber;
  return tensor(
    dtype,
    axes.map(({ text }) => text),
  );
}

function argument(call: Call, core: Core, wanted: ValueType): Core {
  const { report } = call.env;
  if (wanted.dtype === "number") return knownNumber(call, core);
  if (isMask(core) !== (wanted.dtype === "bool")) {
    if (isMask(core)) report.notANumber(core, `\`${call.name}\``);
    else report.notAMask(core, `\`${call.name}\``);
    return poisoned(core.span);
  }
  const axes = wanted.axes.map(({ text }) => text);
  const arg = broadcastTo(core, axes);
  const own = arg.op === "broadcast" ? arg.arg.type.axes : arg.type.axes;
  const foreign = own.find((axis) => !axes.includes(axis));
  const missing = axes.find(
    (axis) => !own.includes(axis) && (familyOf([axis]) === null || isPixelAxis(axis)) && axis !== "batch",
  );
  if (foreign === undefined && missing === undefined) return arg;
  const what = foreign === undefined ? `lacks the axis \`${missing}\`` : `has the axis \`${foreign}\`, too`;
  report.error(
    "LTX4015",
    spanOf(core),
    `\`${call.name}\` takes ${describe(tensor(wanted.dtype, axes))}; this ${what}: ${describe(core.type)}`,
    {
      help: "reduce it first, or bring it there with `tokens(x)` or `grid(x)`",
    },
  );
  return poisoned(core.span);
}

function knownNumber(call: Call, core: Core): Core {
  if (core.type.stage === "host" && !isMask(core)) return core;
  call.env.report.error("LTX4014", spanOf(core), `\`${call.name}\` takes a number that is known before the run here`, {
    help: "use a number, a parameter or a size",
  });
  return poisoned(core.span);
}
