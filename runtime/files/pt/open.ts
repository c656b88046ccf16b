import { openFile, type OpenFile } from "../read-bytes.ts";
import { unreadable } from "../regular-file.ts";
import { refuseFile, type Refuse } from "./value.ts";

/** Opens a `.pt` file for as long as `use` takes. Errors: FindingsError LTX6110 (not readable). */
export async function withOpenPt<Result>(
  path: string,
  use: (file: OpenFile, refuse: Refuse) => Promise<Result>,
): Promise<Result> {
  const refuse = refuseFile(path);
  const file = await openFile(path).catch((error: unknown) => {
    const why = unreadable(error);
    if (why === null) throw error;
    return refuse("LTX6110", `it ${why.problem}`, why.help);
  });
  try {
    return await use(file, refuse);
  } finally {
    file.close();
  }
}
