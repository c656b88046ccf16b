/** Memory that is given back before the garbage collector would. */

/** Closed: what is sent through it arrives nowhere, and what is handed over with it is freed at once. */
const nowhere = new MessageChannel().port1;
nowhere.close();

/**
 * Gives the memory of an array back to the system at once. The array must not be used again: it is empty then. An array that shares its buffer
 * with others is left as it is.
 *
 * Garbage collectors see little of arrays besides their small objects, so that what a run has replaced stayed for seconds, several times what it needs.
 */
export function freeMemory({ buffer, byteLength }: ArrayBufferView): void {
  if (!(buffer instanceof ArrayBuffer) || byteLength !== buffer.byteLength || byteLength === 0) return;
  nowhere.postMessage(null, [buffer]);
}
