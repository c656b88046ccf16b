/** Links in data folders: followed where the folder's owner, or the user, made them. */
import { lstat, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { DATA_ROOT, type Finding } from "../findings.ts";

/** Whether a link was made by the user, or by the owner of the data root. Windows has no such owners; there every link is followed. */
async function isOwnLink(root: string, link: string): Promise<boolean> {
  const [{ uid: owner }, { uid }] = [await stat(root), await lstat(link)];
  return uid === owner || uid === process.getuid?.();
}

/** The first part of `directory`, below `root`, that is a link somebody else made; null if there is none. */
export async function foreignLink(root: string, directory: string): Promise<string | null> {
  let path = root;
  for (const part of directory.split("/")) {
    path = join(path, part);
    if ((await lstat(path)).isSymbolicLink() && !(await isOwnLink(root, path))) return path;
  }
  return null;
}

/**
 * Says which of these links to sample files lead out of the data root and of the sources' directories: a warning, or an error for links that
 * somebody else made. Links that lead nowhere are left to whoever reads them.
 * @param folders paths of the sources' directories
 * @param links paths of the samples' files that are links
 */
export async function checkLinks(
  root: string,
  folders: readonly string[],
  links: readonly string[],
): Promise<readonly Finding[]> {
  if (links.length === 0) return [];
  const inside = await Promise.all([root, ...folders].map(async (folder) => (await realpath(folder)) + sep));
  const targets = await Promise.all(
    links.map(async (link) => ({ link, target: await realpath(link).catch(() => null) })),
  );
  const leaving = targets.filter(
    ({ target }) => target !== null && !inside.some((folder) => target.startsWith(folder)),
  );
  const own = await Promise.all(leaving.map(({ link }) => isOwnLink(root, link)));
  const foreign = leaving.filter((_, i) => own[i] === false);
  if (foreign.length > 0) return [leadsOut(foreign, "error", "of another owner ")];
  return leaving.length === 0 ? [] : [leadsOut(leaving, "warning", "")];
}

function leadsOut(
  links: readonly { readonly link: string; readonly target: string | null }[],
  severity: Finding["severity"],
  whose: string,
): Finding {
  const count = links.length === 1 ? `a sample's file is a link` : `${links.length} files of samples are links`;
  const first = `${links.length === 1 ? "" : "first "}${links[0]?.link} to ${links[0]?.target}`;
  const message = `${count} ${whose}that ${links.length === 1 ? "leads" : "lead"} out of the data root: ${first}`;
  const help =
    severity === "error"
      ? "copy the files into the data root, or make the links yourself"
      : "if that is meant, leave it; else copy the files into the data root";
  return { code: "LTX6126", severity, path: DATA_ROOT, message, help };
}
