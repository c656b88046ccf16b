import type { Case, Manifest } from "../case.ts";

/** A golden case with other fields in its manifest, for tests that a replay notices. */
export const withManifest = (stored: Case, fields: Manifest): Case => ({
  ...stored,
  manifest: { ...stored.manifest, ...fields },
});
