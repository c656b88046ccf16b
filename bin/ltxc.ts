#!/usr/bin/env node
import { main } from "./main.ts";
import { processIo } from "./shell/io.ts";

// The exit code is set, not forced, so that everything printed reaches a pipe.
const io = processIo();
process.exitCode = await main(process.argv.slice(2), io);
io.end();
