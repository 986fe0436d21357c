/**
 * Which requests listener rules match, against each other: whether two rules can match the same request, and whether one matches all
 * that another does. In doubt two rules overlap and none covers the other, so that whoever asks errs on the loud side.
 */
import type { SurveyedCondition } from "./survey.ts";
import { patternCovers, patternsOverlap } from "./wildcards.ts";

type Conditions = readonly SurveyedCondition[];

/** TEST-NET-1 (RFC 5737), the condition of anchor rules: no client has this address, so a rule with it matches nothing. */
export const unmatchableSource = "192.0.2.1/32";

/** Conditions of a rule on hosts and paths; an empty list means any. */
export function conditionsOf(match: {
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
}): SurveyedCondition[] {
  return [
    ...(match.hosts.length > 0 ? [{ field: "host-header" as const, values: match.hosts }] : []),
    ...(match.paths.length > 0 ? [{ field: "path-pattern" as const, values: match.paths }] : []),
  ];
}

/** Whether a rule is an anchor's: nobody comes from there. */
export function matchesNothing(conditions: Conditions): boolean {
  return conditions.some(
    ({ field, values }) => field === "source-ip" && values.every((range) => range === unmatchableSource),
  );
}

/** What this version does not model in a rule's conditions, in words; empty: all of it is known. */
export function unmodelled(conditions: Conditions): string[] {
  return conditions.flatMap(({ field, otherField, regexValues }) => [
    ...(field === "other" ? [`a condition on ${otherField ?? "something new"}`] : []),
    ...((regexValues ?? []).length > 0 ? [`a regular expression on ${field} (${(regexValues ?? []).join(", ")})`] : []),
  ]);
}

/** Whether some request can match both rules; rules without conditions match everything. */
export function conditionsOverlap(left: Conditions, right: Conditions): boolean {
  return left.every((one) => right.every((other) => one.field !== other.field || valuesOverlap(one, other)));
}

function valuesOverlap(one: SurveyedCondition, other: SurveyedCondition): boolean {
  if (unmodelled([one, other]).length > 0) return true;
  switch (one.field) {
    case "host-header":
      return some(one, other, (left, right) => patternsOverlap(left.toLowerCase(), right.toLowerCase()));
    case "path-pattern":
      return some(one, other, patternsOverlap);
    case "http-request-method":
      return some(one, other, (left, right) => left === right);
    case "source-ip":
      return some(one, other, rangesOverlap);
    // A request may carry a header or a query key several times, with a value for each rule.
    case "http-header":
    case "query-string":
    case "other":
      return true;
  }
}

function some(
  one: SurveyedCondition,
  other: SurveyedCondition,
  meet: (left: string, right: string) => boolean,
): boolean {
  return one.values.some((left) => other.values.some((right) => meet(left, right)));
}

/** Whether two rules have the same conditions, in whatever order they and their values are listed; host names in any case. */
export function sameConditions(left: Conditions, right: Conditions): boolean {
  return canonical(left) === canonical(right);
}

function canonical(conditions: Conditions): string {
  const texts = conditions.map(({ field, otherField, httpHeaderName, values, queryStrings = [], regexValues = [] }) =>
    JSON.stringify([
      field,
      otherField ?? "",
      httpHeaderName?.toLowerCase() ?? "",
      values.map((value) => (field === "host-header" ? value.toLowerCase() : value)).toSorted(),
      queryStrings.map(({ key, value }) => JSON.stringify([key ?? "", value])).toSorted(),
      regexValues.toSorted(),
    ]),
  );
  return JSON.stringify(texts.toSorted());
}

/** Whether every request that matches `narrow` surely matches `wide` too. */
export function conditionsCover(wide: Conditions, narrow: Conditions): boolean {
  return wide.every((condition) => narrow.some((other) => valuesCover(condition, other)));
}

function valuesCover(wide: SurveyedCondition, narrow: SurveyedCondition): boolean {
  if (wide.field !== narrow.field || unmodelled([wide, narrow]).length > 0) return false;
  const all = (covers: (wider: string, narrower: string) => boolean) =>
    narrow.values.every((narrower) => wide.values.some((wider) => covers(wider, narrower)));
  switch (wide.field) {
    case "host-header":
      return all((wider, narrower) => patternCovers(wider.toLowerCase(), narrower.toLowerCase()));
    case "path-pattern":
      return all(patternCovers);
    case "http-request-method":
      return all((wider, narrower) => wider === narrower);
    case "source-ip":
      return all(rangeCovers);
    case "http-header":
      return (
        wide.httpHeaderName?.toLowerCase() === narrow.httpHeaderName?.toLowerCase() &&
        all((wider, narrower) => textCovers(wider.toLowerCase(), narrower.toLowerCase()))
      );
    case "query-string":
      return (narrow.queryStrings ?? []).every((narrower) =>
        (wide.queryStrings ?? []).some(
          (wider) =>
            (wider.key === undefined || wider.key.toLowerCase() === narrower.key?.toLowerCase()) &&
            textCovers(wider.value.toLowerCase(), narrower.value.toLowerCase()),
        ),
      );
    case "other":
      return false;
  }
}

/** A backslash makes the wildcard after it a plain character; then only the same text is surely the same. */
function textCovers(wide: string, narrow: string): boolean {
  return wide === narrow || (!wide.includes("\\") && !narrow.includes("\\") && patternCovers(wide, narrow));
}

interface Range {
  readonly bits: bigint;
  readonly length: number;
  readonly width: 32 | 128;
}

/** `undefined` for what is no range in CIDR form. */
function rangeOf(cidr: string): Range | undefined {
  const [address = "", prefix = ""] = cidr.split("/");
  const isV6 = address.includes(":");
  const width = isV6 ? 128 : 32;
  const length = Number(prefix);
  const bits = isV6 ? v6Bits(address) : v4Bits(address);
  if (bits === undefined || !/^\d{1,3}$/.test(prefix) || length > width) return undefined;
  return { bits, length, width };
}

function v4Bits(address: string): bigint | undefined {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return undefined;
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function v6Bits(address: string): bigint | undefined {
  const [head = "", tail] = address.split("::");
  const groupsOf = (text: string) => (text === "" ? [] : text.split(":"));
  const before = groupsOf(head);
  const behind = tail === undefined ? [] : groupsOf(tail);
  const missing = 8 - before.length - behind.length;
  if (missing < 0 || (tail === undefined && missing !== 0)) return undefined;
  const groups = [...before, ...Array.from({ length: missing }, () => "0"), ...behind];
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

function samePrefix(left: Range, right: Range, length: number): boolean {
  const shift = BigInt(left.width - length);
  return left.bits >> shift === right.bits >> shift;
}

function rangesOverlap(left: string, right: string): boolean {
  const one = rangeOf(left);
  const other = rangeOf(right);
  if (!one || !other) return true;
  return one.width === other.width && samePrefix(one, other, Math.min(one.length, other.length));
}

function rangeCovers(wide: string, narrow: string): boolean {
  const wider = rangeOf(wide);
  const narrower = rangeOf(narrow);
  if (!wider || !narrower) return wide === narrow;
  return wider.width === narrower.width && wider.length <= narrower.length && samePrefix(wider, narrower, wider.length);
}

/** The condition values that a rule uses up, and the wildcards in them; ELBv2 allows five of each. */
export function conditionUse(conditions: Conditions): { readonly values: number; readonly wildcards: number } {
  const texts = conditions.flatMap(({ values, queryStrings = [], regexValues = [] }) => [
    ...values,
    ...regexValues,
    ...queryStrings.map(({ value }) => value),
  ]);
  return { values: texts.length, wildcards: texts.join("").replace(/[^*?]/g, "").length };
}

const fieldWords: Readonly<Record<SurveyedCondition["field"], string>> = {
  "host-header": "host",
  "path-pattern": "path",
  "http-header": "header",
  "http-request-method": "method",
  "query-string": "query",
  "source-ip": "source",
  other: "",
};

/** A rule's conditions in one line: `host shop.example.com and path /checkout/*`; `everything` without any. */
export function describeConditions(conditions: Conditions): string {
  if (conditions.length === 0) return "everything";
  return conditions
    .map(({ field, otherField, httpHeaderName, values, queryStrings = [], regexValues = [] }) => {
      const name = field === "other" ? (otherField ?? "something new") : fieldWords[field];
      const queries = queryStrings.map(({ key, value }) => (key === undefined ? value : `${key}=${value}`));
      const texts = [...values, ...queries, ...regexValues.map((value) => `regex ${value}`)];
      return [name, ...(httpHeaderName === undefined ? [] : [`${httpHeaderName}:`]), texts.join(" or ")]
        .filter((part) => part !== "")
        .join(" ");
    })
    .join(" and ");
}
