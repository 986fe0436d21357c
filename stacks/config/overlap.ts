/**
 * Which requests two services could both claim. A listener gives a request to the rule of lower priority, so an overlap would
 * let one service silently take another's traffic: it is refused, and in doubt it counts as one.
 */
import type { MatchConfig } from "./model.ts";

/**
 * Whether some text matches both wildcard patterns: `*` is any run of characters, `?` exactly one.
 * Walks both patterns at once; `reachable` holds the positions in `right` that some common text so far can be at.
 */
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

function someOverlap(left: readonly string[], right: readonly string[]): [string, string] | undefined {
  for (const one of left) {
    const other = right.find((candidate) => patternsOverlap(one, candidate));
    if (other !== undefined) return [one, other];
  }
  return undefined;
}

/**
 * A host and a path pattern of each side that meet; `undefined` where no request can match both. Hosts ignore case, paths do
 * not; a side without hosts (or paths) has any.
 */
export function matchOverlap(
  left: MatchConfig,
  right: MatchConfig,
): { readonly host: readonly [string, string]; readonly path: readonly [string, string] } | undefined {
  const lower = (hosts: readonly string[]): string[] =>
    hosts.length > 0 ? hosts.map((host) => host.toLowerCase()) : ["*"];
  const any = (paths: readonly string[]): readonly string[] => (paths.length > 0 ? paths : ["*"]);
  const host = someOverlap(lower(left.hosts), lower(right.hosts));
  const path = someOverlap(any(left.paths), any(right.paths));
  return host && path ? { host, path } : undefined;
}
