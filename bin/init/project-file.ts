/** A file of a new project. */
export interface ProjectFile {
  /** Below the project's folder, with `/`. */
  readonly path: string;
  /** Text, or how to write the file at an absolute path. */
  readonly content: string | ((path: string) => Promise<void>);
}
