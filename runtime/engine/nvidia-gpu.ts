import { existsSync } from "node:fs";

/** The devices of NVIDIA's driver for Linux, and of Linux on Windows, where the driver is that of Windows. */
const devices = ["/dev/nvidiactl", "/dev/dxg"];

/** Whether this machine may have an NVIDIA GPU: false is certain, true is not. Loads nothing. */
export const mayHaveNvidiaGpu = (
  platform: string = process.platform,
  exists: (path: string) => boolean = existsSync,
): boolean => platform !== "linux" || devices.some(exists);
