import type { Command } from "commander";
import type { Session } from "../shell/session.ts";

/** A command line, and what it does. */
export type Example = readonly [command: string, purpose: string];

/** What a command needs: a way to declare itself, the session it runs in, and where its exit code goes. */
export interface Declaring {
  readonly command: (name: string, description: string, examples: readonly Example[]) => Command;
  readonly session: () => Session;
  readonly done: (code: number) => void;
}
