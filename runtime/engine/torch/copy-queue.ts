/** How blocks get to the device: beside the computation on a GPU, in line with it elsewhere. */
import type { Torch } from "./library.ts";

export interface CopyQueue {
  /** Whether copies run beside the computation. */
  readonly isBeside: boolean;
  /** Runs the copies that `copy` asks for, after all that was computed so far: this may still read the memory that they go to. */
  run(copy: () => void): void;
  /** What is computed from now on waits for the copies that were asked for. */
  wait(): void;
}

/** In line with the computation. */
const inLine: CopyQueue = { isBeside: false, run: (copy) => copy(), wait: () => {} };

/** Flags of `cudaStreamCreateWithFlags` (does not wait for the default stream) and `cudaEventCreateWithFlags` (without times). */
const [NON_BLOCKING, NO_TIMES] = [1, 2];

/** Versions of CUDA's own library, as their files are called. PyTorch has loaded one of them. */
const cudaLibraries = ["libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0"];

/** **Not tried on a GPU yet.** Where CUDA's own library is not found, copies run in line. */
export function copyQueueOf(torch: Torch): CopyQueue {
  if (torch.device === "cpu") return inLine;
  const library = cudaLibraries.map((name) => torch.open(name)).find((found) => found !== null);
  return library === undefined ? inLine : cudaQueue(torch, library);
}

type Library = NonNullable<ReturnType<Torch["open"]>>;

/** A stream of its own for copies, and events by which it and the stream of the computation wait for each other. */
function cudaQueue(torch: Torch, library: Library): CopyQueue {
  const declare = (text: string) => library.func(text) as (...args: unknown[]) => number;
  const check = (code: number) => torch.check(code, "copying beside the computation");
  const newStream = declare("int cudaStreamCreateWithFlags(void *stream, unsigned int flags)");
  const newEvent = declare("int cudaEventCreateWithFlags(void *event, unsigned int flags)");
  const record = declare("int cudaEventRecord(uint64_t event, uint64_t stream)");
  const waitFor = declare("int cudaStreamWaitEvent(uint64_t stream, uint64_t event, unsigned int flags)");
  const made = (make: typeof newStream, flags: number): number => {
    check(make(torch.out, flags));
    return torch.word();
  };
  const copies = made(newStream, NON_BLOCKING);
  const [computed, copied] = [made(newEvent, NO_TIMES), made(newEvent, NO_TIMES)];
  const current = torch.native("int", "aoti_torch_get_current_cuda_stream", "int32_t device, void *ret");
  const guard = torch.native("int", "aoti_torch_create_cuda_stream_guard", "uint64_t s, int32_t device, void *ret");
  const unguard = torch.native("int", "aoti_torch_delete_cuda_stream_guard", "uint64_t guard");
  const computation = (): number => {
    check(current(0, torch.out));
    return torch.word();
  };
  return {
    isBeside: true,
    run(copy) {
      check(record(computed, computation()));
      check(waitFor(copies, computed, 0));
      check(guard(copies, 0, torch.out));
      const held = torch.word();
      try {
        copy();
      } finally {
        unguard(held);
      }
      check(record(copied, copies));
    },
    wait() {
      check(waitFor(computation(), copied, 0));
    },
  };
}
