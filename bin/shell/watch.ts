/** `--watch`: does something again whenever a file of the project changes, until it is interrupted. */
import { exitCode, UsageError } from "./exit.ts";
import { say, type Session } from "./session.ts";
import { watchFolders } from "./watch-folders.ts";

/** Runs `once`, and again after each change below the working folder; resolves to the last exit code when the process is asked to end. */
export async function whileWatching(session: Session, once: () => Promise<number>): Promise<number> {
  const { io } = session;
  const changes = createChanges(io.cwd);
  const stop = io.onInterrupt(() => changes.end());
  let code = 0;
  try {
    do {
      say(session, `--- ${clock()} checking`);
      code = await survived(session, once);
      say(session, `--- ${clock()} waiting for changes; Ctrl-C ends this`);
    } while (await changes.next());
  } finally {
    stop();
    changes.close();
  }
  return code;
}

/** A file that is gone for a moment, as while an editor saves it, ends nothing. */
async function survived({ io }: Session, once: () => Promise<number>): Promise<number> {
  try {
    return await once();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const help = typeof error.help === "function" ? await error.help() : error.help;
    io.err(`error: ${error.message}\n${help === null ? "" : `help: ${help}\n`}`);
    return exitCode.usage;
  }
}

const clock = (): string => new Date().toTimeString().slice(0, 8);

interface Changes {
  /** Resolves when something has changed since the last call, and then nothing for a moment; to false when the process should end. */
  next(): Promise<boolean>;
  end(): void;
  close(): void;
}

function createChanges(root: string): Changes {
  let [isChanged, isEnded, wake] = [false, false, (): void => {}];
  const watcher = watchFolders(root, () => {
    isChanged = true;
    wake();
  });
  return {
    async next() {
      if (!isChanged && !isEnded) await new Promise<void>((resolve) => (wake = resolve));
      isChanged = false;
      return !isEnded;
    },
    end() {
      isEnded = true;
      wake();
    },
    close: () => watcher.close(),
  };
}
