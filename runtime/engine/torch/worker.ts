/** The thread that runs the graphs with PyTorch's library. */
import { workerData } from "node:worker_threads";
import { serve } from "../thread/serve.ts";
import { TorchLibrary, type TorchOptions } from "./torch-library.ts";

await serve(() => new TorchLibrary(workerData as TorchOptions));
