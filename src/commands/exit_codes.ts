/**
 * Exit statuses of the commands. 0 is success, also where some images failed; 1 that nothing could be done, or what was checked failed.
 *
 * @module
 */

/** An option, model or file that cannot be used, found before any work. */
export const WRONG_USAGE = 2;
/** `reproduce`: the run is not what it was. */
export const DRIFTED = 3;
/** `reproduce`: inputs of the run are missing. */
export const MISSING = 4;
/** Ctrl-C: 128 + SIGINT, as shells have it. */
export const INTERRUPTED = 130;
