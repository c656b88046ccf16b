/** What WebGPU needs on Linux: the Vulkan loader and a driver for it. Without one of them ONNX Runtime prints to stderr, in words of its own. */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Errors: an error that names what is not installed. */
export function requireVulkan(): void {
  requireLibrary("libvulkan.so.1");
  if (!hasDriver(process.env)) throw new Error("no Vulkan driver is installed");
}

function requireLibrary(name: string): void {
  try {
    process.dlopen({ exports: {} }, name);
  } catch (error) {
    // A library that is there fails in another way: it is not a module of Node.
    if ((error as Error).message.includes("cannot open shared object file"))
      throw new Error(`${name} is not installed`, { cause: error });
  }
}

/**
 * Whether the loader will find a file that describes a driver. Source: LoaderDriverInterface.md of KhronosGroup/Vulkan-Loader, "Driver
 * Discovery on Linux".
 */
export function hasDriver(env: NodeJS.ProcessEnv): boolean {
  if (["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"].some((name) => env[name])) return true;
  const home = env["HOME"] ?? homedir();
  const lists = [
    env["XDG_CONFIG_HOME"] ?? join(home, ".config"),
    env["XDG_CONFIG_DIRS"] ?? "/etc/xdg",
    "/etc",
    "/usr/local/etc",
    env["XDG_DATA_HOME"] ?? join(home, ".local/share"),
    env["XDG_DATA_DIRS"] ?? "/usr/local/share:/usr/share",
  ];
  return lists.flatMap((list) => list.split(delimiter)).some((folder) => hasManifest(join(folder, "vulkan/icd.d")));
}

function hasManifest(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.endsWith(".json"));
  } catch {
    return false;
  }
}
