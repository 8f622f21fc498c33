/**
 * Logarithms of factorials.
 *
 * @module
 */

let table = new Float64Array([0, 0]);

/**
 * ln k! for k = 0 … n at least, in one table that grows and is shared. Sums are compensated (Kahan), so that a value is right to a few units in
 * the last place whatever n is; a log-gamma function costs more for each of the many values that a test asks for.
 */
export function logFactorials(n: number): Float64Array {
  if (n < table.length) return table;
  const larger = new Float64Array(Math.max(n + 1, 2 * table.length));
  larger.set(table);
  let sum = table[table.length - 1], lost = 0;
  for (let k = table.length; k < larger.length; k++) {
    const part = Math.log(k) - lost, next = sum + part;
    lost = next - sum - part;
    larger[k] = sum = next;
  }
  return table = larger;
}
