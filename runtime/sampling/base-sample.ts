/** Samples of the base model. It never changes, so each is drawn once, and known again by what it depends on. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ValidationConfig } from "../config/index.ts";
import { openSafetensors } from "../files/safetensors/index.ts";
import { FindingsError } from "../findings.ts";
import type { SamplePlan } from "./sample-plan.ts";
import { nameOfSample } from "./write-sample.ts";

/** @param model tells base models apart, and how their weights are held */
export function baseKeyOf(model: string, plan: SamplePlan, settings: ValidationConfig): string {
  const { samples: _samples, interval: _interval, skip_initial_validation: _skip, ...others } = settings;
  const hash = createHash("sha256");
  const parts = [model, others, plan];
  hash.update(JSON.stringify(parts, (_, value: unknown) => (ArrayBuffer.isView(value) ? digest(value) : value)));
  return hash.digest("hex").slice(0, 32);
}

function digest({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return createHash("sha256")
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest("hex");
}

/** Whether the folder of a run has that sample of the base model: of its own, or as that of step 0. */
export async function hasBaseSample(outputDirectory: string, number: number, key: string): Promise<boolean> {
  for (const step of [null, 0]) {
    const path = join(outputDirectory, "samples", `${nameOfSample(step, number)}.safetensors`);
    if ((await baseKeyIn(path)) === key) return true;
  }
  return false;
}

/** Null where there is no such file, or not such a one. */
async function baseKeyIn(path: string): Promise<string | null> {
  try {
    const file = await openSafetensors(path);
    await file.close();
    return file.metadata["base"] ?? null;
  } catch (error) {
    if (error instanceof FindingsError) return null;
    throw error;
  }
}
