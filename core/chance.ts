/**
 * How many errors are beyond chance (B9): a floor for short windows that follows from their traffic instead of being ten everywhere.
 *
 * Errors of a healthy release come in bursts: a mean that is itself drawn from an exponential, so that the count in a window is geometric, and at
 * least `c` of `m` expected have the chance `(m / (1 + m)) ^ c`. A window speaks where that is at most `10 ^ -rarityExponent`. How many are usual
 * follows from the bound alone: as many as make the bound itself that rare where traffic is endless, since the geometric tail then becomes
 * `exp(-bound / usual)`. So what is beyond chance is always beyond the bound too, the closer the more traffic there is
 * (docs/decisions/0023-errors-beyond-chance.md).
 */

/**
 * A healthy window is taken for a bad one at most once in ten to this. From B9: 0.1 % a rollout, and the ten days of plan `steady` have
 * 86,400 windows of 10 s and 14,400 of a minute, some 100,000 together.
 */
export const rarityExponent = 8;

/**
 * Fewest errors, whatever chance says: one client that tries a failing request again makes three of them, and those are not independent. Three
 * attempts are the usual most (AWS SDKs and Tools reference guide, "Retry behavior", `max_attempts` of mode standard, read 2026-11).
 */
export const fewestErrors = 4;

/** The error ratio that a bound takes for usual, three digits of it. Unit of both: percent of requests. */
export function usualPercentOf(boundPercent: number): number {
  return Number((boundPercent / (rarityExponent * Math.LN10)).toPrecision(3));
}

/** Whether so many errors of so many requests are beyond chance. */
export function isBeyondChance(errors: number, requests: number, usualPercent: number): boolean {
  return errors >= fewestErrors && errors * Math.log10(1 + 100 / (usualPercent * requests)) >= rarityExponent;
}

/** Fewest errors of so many requests that are beyond chance; more than there are requests where those are too few for any. */
export function errorsBeyondChance(requests: number, usualPercent: number): number {
  if (!(requests > 0)) return fewestErrors;
  return Math.max(fewestErrors, Math.ceil(rarityExponent / Math.log10(1 + 100 / (usualPercent * requests))));
}

/** How many times its bound a ratio is when `requestsToSee` is asked for: at the bound itself no amount of traffic is enough. */
export const seenAtFactor = 2;

/** Fewest requests in a window of which a ratio of `seenAtFactor` times the bound is beyond chance; a thousand million where none are enough. */
export function requestsToSee(boundPercent: number): number {
  const usualPercent = usualPercentOf(boundPercent);
  const isSeen = (requests: number) =>
    isBeyondChance((Math.min(100, seenAtFactor * boundPercent) * requests) / 100, requests, usualPercent);
  let [few, many] = [0, 1];
  while (!isSeen(many) && many < 1e9) [few, many] = [many, Math.min(1e9, many * 2)];
  while (many - few > 1) {
    const middle = Math.floor((few + many) / 2);
    if (isSeen(middle)) many = middle;
    else few = middle;
  }
  return many;
}
