/** What a file of entries says of a code. Codes are stable and never reused. */
export interface Entry {
  /** e.g. LTX4007 */
  readonly code: string;
  /** e.g. missing-axis; names the code's sample folder, too */
  readonly slug: string;
  readonly title: string;
  /** What it means and why it is refused, a short paragraph for `ltxc explain`. */
  readonly explanation: string;
  /** A smallest input that triggers the code, and the same input mended: a strategy for 1xxx to 5xxx, else lines of a run config or a command. */
  readonly bad: string;
  readonly good: string;
}
