import { testTorch } from "../runtime/testing/test-torch.ts";

/** Lets the processes that this one starts find the PyTorch that the project's tests use. Throws where there is none. */
export async function useTorch(): Promise<void> {
  const found = await testTorch();
  if (found === null) throw new Error("there is no PyTorch to run with");
  process.env["VIRTUAL_ENV"] = found.folder;
}
