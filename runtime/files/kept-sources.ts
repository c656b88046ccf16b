/** Folder of a run for the sources of its strategy as they were compiled. It may be one of the user's own. */
export const keptFolder = "strategy";

/** File of that folder that lists which sources a run put there, by name, each with the SHA-256 of its text. */
export const keptList = ".kept.json";
