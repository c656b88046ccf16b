/** The networks that a strategy calls, with what is known of them after all calls. */
import type { NetworkSyntax } from "../../1-parse/syntax.ts";
import type { CheckedNetwork } from "../checked.ts";
import type { Declarations } from "../declarations.ts";
import { isLayers } from "../networks.ts";
import type { Report } from "../report.ts";
import { templateText } from "./source-directories.ts";

/** Those that nothing calls are left out; what their paths name wrongly is reported. */
export function calledNetworks(
  networks: readonly NetworkSyntax[],
  declarations: Declarations,
  report: Report,
): CheckedNetwork[] {
  return networks.flatMap(({ name, from, prefix }) => {
    const network = declarations.networks.get(name.text);
    const path = from === null ? null : templateText(from, declarations, report);
    if (network === undefined || !declarations.used.has(name.text)) return [];
    const { architecture, window, input } = network;
    const axis = isLayers(architecture) ? (input?.axis ?? "channel") : inputs[architecture];
    return [{ name: name.text, from: path, architecture, prefix: prefix?.value ?? "", window, input: axis }];
  });
}

const inputs = { ltx_video_decoder: "channel", ltx_video_encoder: "rgb" } as const;
