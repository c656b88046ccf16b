import type { Tensor } from "../runtime/contract.ts";
import { openSafetensors } from "../runtime/files/safetensors/index.ts";
import type { Engine } from "../runtime/engine/engine.ts";
import type { StreamName } from "../runtime/model/config.ts";
import { readConnectorConfig } from "../runtime/model/connector-config.ts";
import { createConnector, type Connector } from "../runtime/model/connector.ts";
import { createEmbeddingsProcessor, type EmbeddingsProcessor } from "../runtime/model/embeddings.ts";
import { connectorLayout } from "../runtime/model/parameters.ts";
import { createModule } from "../runtime/model/module.ts";
import { checkParts, loadPart, refuse } from "../runtime/model/weights.ts";
import type { Manifest } from "./case.ts";

/** The connectors of a case, and their weights, which are the caller's to free. */
interface GoldenConnectors {
  readonly embeddings: EmbeddingsProcessor;
  readonly weights: readonly Tensor[];
}

/**
 * Loads a case's connectors: the video's, and the audio's where the file has one.
 * @param path the file of their weights; the processor's own names stand there for a checkpoint's `video_embeddings_connector.`
 * @param settings a checkpoint's config, and the number of registers, null for connectors without
 */
export async function loadConnectors(
  engine: Engine,
  path: string,
  settings: { readonly config: Manifest; readonly registers: number | null },
): Promise<GoldenConnectors> {
  const file = await openSafetensors(path);
  const loaded: Tensor[] = [];
  const load = async (stream: StreamName): Promise<Connector> => {
    const { config, findings } = readConnectorConfig(settings.config["transformer"], stream, settings.registers);
    if (config === null) throw new Error(findings.map(({ message }) => message).join("; "));
    const part = { prefix: `${stream}_connector.`, parameters: connectorLayout(config, stream) };
    refuse(checkParts(file, [part], new Set(), []));
    const weights = await loadPart(engine, file, part);
    loaded.push(...weights.values());
    return createConnector(createModule(engine.ops, weights), config);
  };
  try {
    const hasAudio = [...file.tensors.keys()].some((name) => name.startsWith("audio_connector."));
    const [video, audio] = [await load("video"), hasAudio ? await load("audio") : null];
    return { embeddings: createEmbeddingsProcessor(engine.ops, video, audio), weights: loaded };
  } finally {
    await file.close();
  }
}
