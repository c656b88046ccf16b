/** Words about run folders for findings. */

/** Text from a file, no longer than a message can bear. Whoever shows the message escapes it, as all findings. */
export function cut(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

/** `1 checkpoint`, `2 checkpoints`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A date and time of day of this machine: `2026-11-27 10:32`. */
export function moment(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A size for people: `4.2 MiB`. */
export function size(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return power === 0 ? counted(bytes, "byte") : `${(bytes / 2 ** (10 * power)).toFixed(1)} ${units[power]}`;
}
