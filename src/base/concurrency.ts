/**
 * Several things in progress at a time.
 *
 * @module
 */

/**
 * Maps items by an asynchronous function, at most `limit` of them at a time; the results keep the order of the items.
 *
 * After a failure no further item is begun.
 *
 * @throws {RangeError} when `limit` is not a whole number of at least 1; whatever `work` throws first.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  if (!(Number.isInteger(limit) && limit >= 1)) {
    throw new RangeError(`Cannot work on ${limit} items at a time`);
  }
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index], index);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
