/**
 * Texts that the wildcard patterns of listener rules match: `*` is any run of characters, `?` exactly one. Both questions are answered for
 * every text at once, by walking the two patterns side by side.
 */

/** Whether some text matches both patterns. */
export function patternsOverlap(left: string, right: string): boolean {
  const skipStars = (positions: ReadonlySet<number>): Set<number> => {
    const closed = new Set<number>();
    for (const position of positions) {
      let at = position;
      closed.add(at);
      while (right[at] === "*") closed.add(++at);
    }
    return closed;
  };
  let reachable = skipStars(new Set([0]));
  for (const character of left) {
    const next = new Set<number>();
    for (const at of reachable) {
      const other = right[at];
      if (character === "*") {
        // The star may stand for nothing, or for whatever any further part of the other pattern asks for.
        for (let further = at; further <= right.length; further++) next.add(further);
      } else if (other === "*") {
        next.add(at);
      } else if (other !== undefined && (character === "?" || other === "?" || character === other)) {
        next.add(at + 1);
      }
    }
    reachable = skipStars(next);
  }
  return reachable.has(right.length);
}

/** Pairs of positions after which the answer is "not proven"; far above what 128 characters with five wildcards come to. */
const mostSteps = 20_000;

/** Any character that neither pattern names. */
const anyOther = "\u0000";

/** Positions that a pattern can be at once the stars that stand for nothing are skipped, ascending. */
function closed(pattern: string, positions: Iterable<number>): number[] {
  const all = new Set<number>();
  for (let at of positions) {
    all.add(at);
    while (pattern[at] === "*") all.add(++at);
  }
  return [...all].sort((left, right) => left - right);
}

function after(pattern: string, positions: readonly number[], character: string): number[] {
  const next: number[] = [];
  for (const at of positions) {
    const here = pattern[at];
    if (here === "*") next.push(at);
    else if (here === "?" || here === character) next.push(at + 1);
  }
  return closed(pattern, next);
}

/**
 * Whether every text that `narrow` matches is matched by `wide` too. In doubt no: patterns too long to be walked through are not
 * called covered.
 */
export function patternCovers(wide: string, narrow: string): boolean {
  if (/^\*+$/.test(wide) || wide === narrow) return true;
  const alphabet = new Set([...wide, ...narrow].filter((character) => character !== "*" && character !== "?"));
  alphabet.add(anyOther);
  const start = { narrow: closed(narrow, [0]), wide: closed(wide, [0]) };
  const seen = new Set<string>();
  const open = [start];
  for (let state = open.pop(); state; state = open.pop()) {
    const key = `${state.narrow.join(",")}|${state.wide.join(",")}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > mostSteps) return false;
    if (state.narrow.includes(narrow.length) && !state.wide.includes(wide.length)) return false;
    for (const character of alphabet) {
      const next = after(narrow, state.narrow, character);
      if (next.length > 0) open.push({ narrow: next, wide: after(wide, state.wide, character) });
    }
  }
  return true;
}
