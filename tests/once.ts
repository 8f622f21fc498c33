/** Work that several tests look at is done once, when the first of them asks; if it fails, it fails for each of them. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => done ??= work();
}
