import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import type { Reply } from "./protocol.ts";
import { Server, type GraphLibrary } from "./serve.ts";

const test = suite("requests of the main thread");
const newFolder = temporaryFolders(test, "serve");

test("nothing is kept of what a graph computed while its weights were written to, and later graphs that need it fail", async () => {
  const path = join(await newFolder(), "base.safetensors");
  await writeFile(path, "before");
  let during: () => Promise<void> = async () => {};
  const freed: string[] = [];
  const library: GraphLibrary<string, string> = {
    about: "",
    upload: () => "",
    zeros: () => "",
    open: (graph) => String(graph),
    async run(session) {
      await during();
      return [`${session} with ${await readFile(path, "utf8")}`];
    },
    read: () => ({ dtype: "float32", shape: [], data: new Float32Array(1) }),
    free: (value) => void freed.push(value),
    close: () => {},
  };
  const replies: Reply[] = [];
  const server = new Server(library, (reply) => void replies.push(reply));
  await server.handle({ type: "open", session: 1, graph: "forward", files: [path] });
  // The update of the weights reads no file.
  await server.handle({ type: "open", session: 2, graph: "update", files: [] });
  const step = async (id: number) => {
    replies.length = 0;
    await server.handle({ type: "run", session: 1, feeds: [], outputs: [id] });
    await server.handle({ type: "run", session: 2, feeds: [id], outputs: [id + 1] });
    await server.handle({ type: "read", id: id + 1, request: id });
    return replies.map((reply) => ("message" in reply ? reply.message : reply.type));
  };
  assert.equal(await step(10), ["value"]);
  during = () => writeFile(path, "afterwards");
  const [failure] = await step(20);
  assert.match(failure ?? "", `${path} was changed while it was in use`);
  assert.equal(freed, ["forward with afterwards"]);
});

test.run();
