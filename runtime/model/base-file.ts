import { identityOf } from "../files/identity.ts";
import { checkpointHash } from "./checkpoint-hash.ts";

/** The file of a run's base model. */
export interface BaseFile {
  readonly path: string;
  /** `checkpointHash` of what was there when the run began. */
  readonly hash: string;
  /** What has become of it since then, as text; null while the content is the same. A copy of the same content in its place is no change. */
  change(): Promise<string | null>;
}

/** Looks at the file as it is now. Errors: those of `openFile`. */
export async function lookAtBase(path: string): Promise<BaseFile> {
  let known = identityOf(path);
  const hash = await checkpointHash(path);
  return {
    path,
    hash,
    async change() {
      const now = identityOf(path);
      if (now === known) return null;
      if (now === null) return "it is gone";
      const found = await checkpointHash(path).catch(() => null);
      if (found !== hash) return found === null ? "it can not be read" : "its content is another";
      known = now;
      return null;
    },
  };
}
