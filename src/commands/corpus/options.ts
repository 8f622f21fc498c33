/**
 * Options of the commands below corpus.
 *
 * @module
 */

/** Options of `corpus fetch findingemo`. */
export interface FindingEmoOptions {
  readonly urls: string;
  readonly out: string;
  readonly annotations?: string;
  readonly concurrency: number;
  readonly perHost: number;
  readonly pace: number;
  readonly retries: number;
  readonly retryGone?: boolean;
  readonly archive?: boolean;
  readonly userAgent?: string;
  readonly limit?: number;
}
