/**
 * Which requests two services could both claim. A listener gives a request to the rule of lower priority, so an overlap would
 * let one service silently take another's traffic: it is refused, and in doubt it counts as one.
 */
import { patternsOverlap } from "../../core/wildcards.ts";
import type { MatchConfig } from "./model.ts";

export { patternsOverlap };

function someOverlap(left: readonly string[], right: readonly string[]): [string, string] | undefined {
  for (const one of left) {
    const other = right.find((candidate) => patternsOverlap(one, candidate));
    if (other !== undefined) return [one, other];
  }
  return undefined;
}

/**
 * A host and a path pattern of each side that meet; `undefined` where no request can match both. Hosts ignore case, paths do
 * not; a side without hosts (or paths) has any. What an adopted rule matches is not known here: it overlaps with nothing, and
 * `core/adoption.ts` compares once it has been read.
 */
export function matchOverlap(
  left: MatchConfig,
  right: MatchConfig,
): { readonly host: readonly [string, string]; readonly path: readonly [string, string] } | undefined {
  if (left.ruleArn !== undefined || right.ruleArn !== undefined) return undefined;
  const lower = (hosts: readonly string[]): string[] =>
    hosts.length > 0 ? hosts.map((host) => host.toLowerCase()) : ["*"];
  const any = (paths: readonly string[]): readonly string[] => (paths.length > 0 ? paths : ["*"]);
  const host = someOverlap(lower(left.hosts), lower(right.hosts));
  const path = someOverlap(any(left.paths), any(right.paths));
  return host && path ? { host, path } : undefined;
}
