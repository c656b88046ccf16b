/** Version of the compiler, equal to the package's; a build records it. */
export const VERSION = "0.1.0";

/** Version of the step contract; a build made for another one is refused. */
export const CONTRACT_VERSION = 2;
