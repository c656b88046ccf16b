import { dataFolder } from "../data-folder.ts";

/** The virtual environment that `ltxc install torch` makes, in the user's folder for data. */
export const installedTorch = (env: Readonly<Record<string, string | undefined>> = process.env): string =>
  dataFolder("torch", env);
