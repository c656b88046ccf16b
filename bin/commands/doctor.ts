import { installFfmpeg, probeEngines, takenByAuto, titleOf, type EngineProbe } from "../../runtime/index.ts";
import type { Colors } from "../shell/color.ts";
import { exitCode } from "../shell/exit.ts";
import { bytes, rate, table } from "../shell/text.ts";
import { ffmpegVersion, inspectMachine, type Machine } from "../shell/machine.ts";
import { packageVersion } from "../shell/package-root.ts";
import { paint, sayJson, type Session } from "../shell/session.ts";

function machineRows({ node, platform, processor, memory, gpus }: Machine): string[][] {
  const none = [["GPU", "none found (nvidia-smi lists none)"]];
  const found = gpus.map((gpu) => ["GPU", `${gpu.name}, ${gpu.memory}, driver ${gpu.driver}`]);
  return [
    ["ltxc", packageVersion()],
    ["Node.js", node],
    ["platform", platform],
    ["processor", `${processor.cores} x ${processor.model}`],
    ["memory", `${bytes(memory.total)}, ${bytes(memory.free)} free`],
    ...(gpus.length === 0 ? none : found),
  ];
}

interface Found extends Machine {
  readonly ffmpeg: string | null;
}

const noFfmpeg = `none found, so no videos are written; ${installFfmpeg}`;

function report(colors: Colors, machine: Found, engines: readonly EngineProbe[]): string {
  const rows = engines.map(({ available, reason, speed, precision, ...engine }) => [
    available ? "yes" : "no",
    titleOf(engine),
    available ? precision : "",
    speed === null ? "" : `${rate(speed.matmulGflops)} GFLOP/s`,
    speed === null ? "" : `${rate(speed.bandwidthGBs)} GB/s`,
    reason,
  ]);
  return [
    table([...machineRows(machine), ["ffmpeg", machine.ffmpeg ?? noFfmpeg]]),
    "",
    colors.bold("Engines, the fastest first"),
    table(rows),
    "",
    "GFLOP/s: products of large matrices in that type; GB/s: reading and writing large arrays of float32; measured just now. `ltxc plan` and `ltxc check` reckon with them.",
    choice(engines),
  ].join("\n");
}

/** What `auto` takes: by default runs are in bf16, for which it may be another engine than for float32. */
function choice(engines: readonly EngineProbe[]): string {
  const [narrow, wide] = [takenByAuto(engines, "bfloat16"), takenByAuto(engines)];
  if (narrow === null || wide === null) return "No engine works here: training is not possible.";
  const taken = `\`runtime.engine: auto\` takes ${titleOf(narrow)} here`;
  return narrow === wide ? `${taken}.` : `${taken}, and ${titleOf(wide)} with \`mixed_precision_mode: "no"\`.`;
}

/** `ltxc doctor`: what this machine offers for training. Exit code 1 if no engine works. */
export async function doctor(session: Session): Promise<number> {
  const machine = { ...(await inspectMachine()), ffmpeg: await ffmpegVersion() };
  const engines = await probeEngines();
  if (session.json) sayJson(session, { version: packageVersion(), ...machine, engines });
  else session.io.out(`${report(paint(session), machine, engines)}\n`);
  return engines.some(({ available }) => available) ? exitCode.ok : exitCode.findings;
}
