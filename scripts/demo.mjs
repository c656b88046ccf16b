// Shows the whole way in demo/ (ignored by git): make a project, compile its strategy, train a LoRA.
// usage: npm run demo [-- STRATEGY]      inpainting (default), text_to_video, text_to_video_with_audio
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "demo");
const strategy = process.argv[2] ?? "inpainting";

/** Runs one command as a user would type it; ends the demo where the command fails. */
async function ltxc(...args) {
  console.log(`\n$ ltxc ${args.join(" ")}`);
  const child = spawn(process.execPath, [join(root, "dist/ltxc.mjs"), ...args], { cwd: folder, stdio: "inherit" });
  const status = await new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  if (status !== 0) process.exit(status);
}

// Ctrl-C reaches the child as well, which saves and then ends; waiting for it keeps its last words above the prompt.
process.on("SIGINT", () => {});

mkdirSync(folder, { recursive: true });
await ltxc("init", "--force", "--from", strategy);
await ltxc("compile");
// What an earlier demo trained stays.
await ltxc("run", "--new");
console.log(
  "\nThe project lies in demo/. Change its .strategy file or its train.yaml there, then: npx ltxc compile && npx ltxc run --new",
);
