import type { Engine, Precision } from "../engine.ts";
import { loadTfjsAlone } from "../load-tfjs.ts";
import { recordingsFolder } from "../recording/cache-folder.ts";
import { startTorchDevice } from "./device.ts";
import { createTorchEngine } from "./engine.ts";
import { lookForTorch } from "./find-torch.ts";
import type { TorchDevice } from "./library.ts";

/** What the engine needs to compute on a GPU. */
export const torchNeeds = "an NVIDIA GPU, its driver, and a build of PyTorch with CUDA";

/**
 * Opens the engine `torch`.
 * @param named `runtime.torch`, null if nothing is named
 * @param precision what the model is computed in
 * @returns the engine, and what it is in words for the user
 * Rejects with the reason if it does not work here.
 * @throws FindingsError LTX7050 if there is no usable PyTorch in the folder that is named
 */
export async function openTorch(
  provider: TorchDevice,
  { named, precision }: { readonly named: string | null; readonly precision: Precision },
): Promise<{ readonly engine: Engine; readonly description: string }> {
  const { folder, version, cuda } = await lookForTorch(named);
  if (provider === "cuda" && cuda === null) throw new Error(`PyTorch ${version} in ${folder} is a build without CUDA`);
  const { device, about } = await startTorchDevice({ folder, device: provider });
  const engine = createTorchEngine(await loadTfjsAlone(), device, { provider, precision, folder: recordingsFolder() });
  const on = { cpu: "all cores of the CPU", cuda: about === "" ? "an NVIDIA GPU" : about }[provider];
  const numbers = precision === "bfloat16" ? ", in bfloat16" : "";
  return { engine, description: `PyTorch ${version} on ${on}${numbers}` };
}
