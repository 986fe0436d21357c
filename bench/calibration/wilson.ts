/** How sure a counted share is. */

export interface Share {
  readonly count: number;
  readonly of: number;
  /** Unit: fraction. */
  readonly fraction: number;
  /** Wilson's interval at 95 %. Unit: fraction. */
  readonly low: number;
  readonly high: number;
}

/** Two-sided 95 % of the standard normal. */
const deviations = 1.959964;

/** A share with Wilson's score interval, which holds for no hit at all, too (E. B. Wilson, 1927). @param of above 0 */
export function shareOf(count: number, of: number): Share {
  const fraction = count / of;
  const square = deviations ** 2;
  const centre = (fraction + square / (2 * of)) / (1 + square / of);
  const half = (deviations / (1 + square / of)) * Math.sqrt((fraction * (1 - fraction)) / of + square / (4 * of ** 2));
  return { count, of, fraction, low: count === 0 ? 0 : centre - half, high: count === of ? 1 : centre + half };
}

/** `0.25 % (0.01 to 1.4)`. */
export function shareText({ fraction, low, high }: Share): string {
  const percent = (value: number) => String(Number((100 * value).toPrecision(2)));
  return `${percent(fraction)} % (${percent(low)} to ${percent(high)})`;
}
