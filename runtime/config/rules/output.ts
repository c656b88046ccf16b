/** What stands as `output_dir` and is no folder of this machine: a folder of that name would be made, and the work be looked for elsewhere. */
import type { Finding } from "../../findings.ts";
import { finding } from "../conform.ts";
import type { RunConfig } from "../run-config.ts";

const place: Finding["path"] = ["output_dir"];

/** `s3://bucket/run`, `gs:/…` where a slash was lost, `file:///…`; a drive's letter is no scheme. */
const address = /^([a-z][a-z0-9+.-]+):\/+/i;

/** What a shell would replace: `$HOME`, `${HOME}`, `%USERPROFILE%`, `~name`. */
const shellWords = /(?:^|[\\/])(\$\{?[A-Za-z_]\w*\}?|%[A-Za-z_]\w*%)|^(~[^\\/]+)/;

/**
 * At most one finding about `output_dir` as it is written.
 * @param platform as `process.platform`
 */
export function checkOutputPlace({ output_dir }: Pick<RunConfig, "output_dir">, platform: string): Finding[] {
  const scheme = address.exec(output_dir)?.[1];
  if (scheme !== undefined) return [ofAddress(output_dir, scheme.toLowerCase())];
  if (platform !== "win32" && /^[A-Za-z]:[\\/]/.test(output_dir)) {
    const help = "write a folder of this machine; below WSL the drive `C:` is `/mnt/c`";
    return [finding("LTX6380", place, `\`output_dir\` is a path of Windows: ${output_dir}`, help)];
  }
  const word = shellWords.exec(output_dir);
  if (word !== null) {
    const message = `\`output_dir\` has \`${word[1] ?? word[2] ?? ""}\`, which only a shell replaces`;
    const help =
      "write the path itself; `~/` is your home folder, and `--set output_dir=…` passes what the shell makes of it";
    return [finding("LTX6381", place, message, help)];
  }
  if (output_dir.trim() !== "" && !/\p{Cc}/u.test(output_dir)) return [];
  const what = output_dir.trim() === "" ? "is empty" : "has a control character, such as a line break";
  const help = "write the name of a folder, such as `output_dir: outputs`, or leave the line out for that one";
  return [finding("LTX6382", place, `\`output_dir\` ${what}`, help)];
}

function ofAddress(output_dir: string, scheme: string): Finding {
  const local = output_dir.replace(address, "/");
  const help =
    scheme === "file"
      ? `write it as a path: \`output_dir: ${local}\``
      : "write a folder of this machine, such as `output_dir: outputs`, and copy it there after the run, or mount the storage and write the folder where it is mounted";
  return finding("LTX6380", place, `\`output_dir\` is an address, not a folder: ${output_dir}`, help);
}
