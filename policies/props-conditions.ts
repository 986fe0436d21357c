/**
 * Which requests a listener rule matches, and whether one rule matches all that another does. Answers yes only when it is certain:
 * a pattern is held against another as text, with the other's wildcards as letters that only a `*` takes.
 */
import { at, type Known, type KnownMap, listAt, textAt, unknown } from "./known.ts";

/** One condition: any of its values. */
interface Condition {
  /** `hostHeader`, `httpHeader user-agent`: what the values are held against. */
  readonly subject: string;
  readonly values: readonly string[];
  readonly sort: "pattern" | "regular-expression" | "network" | "exact";
  /** Whether letters match in either case. */
  readonly anyCase: boolean;
}

function strings(value: Known, ...path: readonly string[]): string[] | undefined {
  const found = listAt(value, ...path);
  if (found === unknown || found.some((element) => typeof element !== "string")) return undefined;
  return found as string[];
}

/** The condition of one sort in an entry: none, one, or undefined when it is not known. */
function conditionOf(
  entry: Known,
  field: string,
  sort: Condition["sort"],
  anyCase: boolean,
): readonly Condition[] | undefined {
  const block = at(entry, field);
  if (block === undefined) return [];
  const name = field === "httpHeader" ? textAt(block, "httpHeaderName") : "";
  const values = strings(block, "values");
  const expressions = strings(block, "regexValues");
  if (block === unknown || typeof name !== "string" || !values || !expressions) return undefined;
  const subject = `${field} ${name.toLowerCase()}`.trim();
  return [
    ...(values.length > 0 ? [{ subject, values, sort, anyCase }] : []),
    ...(expressions.length > 0
      ? [{ subject, values: expressions, sort: "regular-expression" as const, anyCase: false }]
      : []),
  ];
}

function queryConditions(entry: Known): readonly Condition[] | undefined {
  const queries = listAt(entry, "queryStrings");
  if (queries === unknown) return undefined;
  if (queries.length === 0) return [];
  const pairs = queries.map((query) => ({ key: textAt(query, "key") ?? "", value: textAt(query, "value") }));
  if (pairs.some(({ key, value }) => typeof key !== "string" || typeof value !== "string")) return undefined;
  const values = pairs.map(({ key, value }) => `${String(key)}=${String(value)}`);
  return [{ subject: "queryString", values, sort: "pattern", anyCase: true }];
}

/** Every condition of a rule; undefined when any of it is not known, or none is given. */
export function conditionsOf(props: KnownMap): readonly Condition[] | undefined {
  const entries = listAt(props, "conditions");
  if (entries === unknown || entries.length === 0) return undefined;
  const all: Condition[] = [];
  for (const entry of entries) {
    if (entry === unknown) return undefined;
    const parts = [
      conditionOf(entry, "hostHeader", "pattern", true),
      conditionOf(entry, "pathPattern", "pattern", false),
      conditionOf(entry, "httpHeader", "pattern", true),
      conditionOf(entry, "httpRequestMethod", "exact", false),
      conditionOf(entry, "sourceIp", "network", true),
      queryConditions(entry),
    ];
    for (const part of parts) {
      if (!part) return undefined;
      all.push(...part);
    }
  }
  return all.length > 0 ? all : undefined;
}

/** Whether every request that the narrow pattern matches is matched by the wide one. */
export function patternCovers(wide: string, narrow: string): boolean {
  const source = [...wide]
    .map((letter) => {
      if (letter === "*") return "[\\s\\S]*";
      // One letter, which may be the other's own `?` but never its `*`.
      if (letter === "?") return "[^*]";
      return letter.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
    })
    .join("");
  return new RegExp(`^${source}$`).test(narrow);
}

/** An IPv4 network as its first address and length; undefined for anything else. */
function network(cidr: string): { readonly first: number; readonly bits: number } | undefined {
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr)?.slice(1).map(Number);
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = parts ?? [];
  if (!parts || bits > 32) return undefined;
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const size = 2 ** (32 - bits);
  return { first: Math.floor(address / size) * size, bits };
}

function networkCovers(wide: string, narrow: string): boolean {
  const [outer, inner] = [network(wide), network(narrow)];
  if (!outer || !inner) return wide === narrow;
  const size = 2 ** (32 - outer.bits);
  return inner.bits >= outer.bits && Math.floor(inner.first / size) * size === outer.first;
}

function covers(wide: Condition, narrow: Condition): boolean {
  if (wide.subject !== narrow.subject) return false;
  const written = (value: string): string => (wide.anyCase ? value.toLowerCase() : value);
  const one = (wideValue: string, narrowValue: string): boolean => {
    // A lone star takes anything, whatever it is written as.
    if (wide.sort === "pattern" && /^\*+$/.test(wideValue)) return true;
    if (wide.sort !== narrow.sort) return false;
    if (wide.sort === "network") return networkCovers(wideValue, narrowValue);
    if (wide.sort !== "pattern") return wideValue === narrowValue;
    return patternCovers(written(wideValue), written(narrowValue));
  };
  return narrow.values.every((narrowValue) => wide.values.some((wideValue) => one(wideValue, narrowValue)));
}

/** Values that take every request there is: each has a host and a path, and every path begins with a slash. */
const catchAlls: Readonly<Record<string, RegExp>> = { hostHeader: /^\*+$/, pathPattern: /^\/?\*+$/ };

function matchesEverything({ subject, sort, values }: Condition): boolean {
  return sort === "pattern" && values.some((value) => catchAlls[subject]?.test(value) === true);
}

/** Whether the first rule's conditions match every request that the second's do. */
export function matchesAllOf(first: readonly Condition[], second: readonly Condition[]): boolean {
  return first.every((wide) => matchesEverything(wide) || second.some((narrow) => covers(wide, narrow)));
}
