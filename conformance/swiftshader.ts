/** SwiftShader, a Vulkan driver that computes on the CPU: with it WebGPU can be tested where there is no GPU. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Debian's package that has it, beside a loader of Vulkan drivers. */
const debianPackage = "chromium-common";
const files = ["libvk_swiftshader.so", "vk_swiftshader_icd.json", "libvulkan.so.1"];
const installed = "/usr/lib/chromium";
const cache = fileURLToPath(new URL("../node_modules/.cache/ltxc-swiftshader", import.meta.url));
/** Milliseconds for 26 MB. */
const patience = 120_000;

type SwiftShader =
  { readonly environment: Readonly<Record<string, string>> } | { readonly environment: null; readonly reason: string };

/** What a process must be started with to find it; fetches it where it is not there. */
export function findSwiftShader(): SwiftShader {
  if (process.platform !== "linux" || process.arch !== "x64")
    return { environment: null, reason: "it is fetched for Linux on x64 only" };
  const folder = [installed, cache].find((path) => files.every((name) => existsSync(join(path, name))));
  if (folder !== undefined) return found(folder);
  const reason = fetchPackage();
  return reason === null ? found(cache) : { environment: null, reason };
}

function found(folder: string): SwiftShader {
  const [, driver = ""] = files;
  return { environment: { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: join(folder, driver) } };
}

/** Why it can not be had; null if it was. */
function fetchPackage(): string | null {
  const folder = mkdtempSync(join(tmpdir(), "ltxc-swiftshader-"));
  try {
    const downloaded = spawnSync("apt-get", ["download", debianPackage], { cwd: folder, timeout: patience });
    const name = readdirSync(folder).find((file) => file.endsWith(".deb"));
    if (downloaded.status !== 0 || name === undefined) return `apt-get can not download ${debianPackage} here`;
    const unpacked = spawnSync("dpkg-deb", ["--extract", name, "."], { cwd: folder, timeout: patience });
    if (unpacked.status !== 0) return `dpkg-deb can not unpack ${debianPackage}`;
    mkdirSync(cache, { recursive: true });
    for (const file of files) copyFileSync(join(folder, installed, file), join(cache, file));
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
