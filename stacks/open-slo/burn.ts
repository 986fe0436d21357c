/**
 * Alert policies of OpenSLO and the pairs of windows in which Tidegate watches a budget. A condition of OpenSLO has one window; the second of
 * a pair is an annotation, without which the condition would not be ours and is refused: it would go on alerting for most of an hour after
 * the errors have stopped.
 */
import { z } from "zod";
import {
  type BudgetPeriodDays,
  type BurnSettings,
  type BurnWindow,
  burnFactor,
  burnWindows,
} from "../../core/burn-rate.ts";
import type { Severity } from "../../core/objectives.ts";
import { checkFields, flag, isMap, leaf, listText, type Path, type Problems, text, word } from "../config/problems.ts";
import { durationText } from "../config/units.ts";
import { annotations, type Documents, description, type OpenSloObject, readObject } from "./documents.ts";

/** What severities are called. */
export const severityNames: Readonly<Record<Severity, "page" | "ticket">> = { critical: "page", warning: "ticket" };
/** Targets that exist: the environment's own channels, by severity. */
export const targetNames: Readonly<Record<Severity, string>> = {
  critical: "tidegate-critical",
  warning: "tidegate-warning",
};

const shorthand = text(/^[1-9]\d*[mhdwMQY]$|^0m$/, {
  wrong: "not a duration of OpenSLO",
  expected: "a number and m, h, d or w, such as 1h",
});
const number = leaf(z.number(), { wrong: "must be a number", expected: "a number" });

const policyFields = {
  description,
  alertWhenNoData: flag.optional(),
  alertWhenResolved: flag.optional(),
  alertWhenBreaching: flag.optional(),
  conditions: z.unknown(),
  notificationTargets: z.unknown(),
};
const alertFields = { description, severity: word(["page", "ticket"], "unknown severity"), condition: z.unknown() };
const conditionFields = {
  kind: word(["burnrate"], "unknown kind of condition").optional(),
  op: word(["gt", "gte", "lt", "lte"], "unknown operator"),
  threshold: number,
  lookbackWindow: shorthand,
  alertAfter: shorthand.optional(),
};

const secondsPer: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** `4w` in seconds; `undefined` of months, quarters and years, which have no length. */
export function shorthandSeconds(text: string): number | undefined {
  const perUnit = secondsPer[text.at(-1) ?? ""];
  return perUnit === undefined ? undefined : Number(text.slice(0, -1)) * perUnit;
}

export { shorthand };

/** One entry of a list that is either an object itself or names one. */
function resolved(
  raw: unknown,
  { key, kind }: { readonly key: string; readonly kind: "AlertPolicy" | "AlertCondition" | "AlertNotificationTarget" },
  path: Path,
  documents: Documents,
  problems: Problems,
): OpenSloObject | undefined {
  if (!isMap(raw)) {
    problems.add(path, { wrong: "must be a map", expected: `{ ${key}: … } or a whole ${kind}` }, raw ?? undefined);
    return undefined;
  }
  if (!(key in raw)) return readObject(raw, kind, path, problems);
  const fields = checkFields({ [key]: z.unknown() }, raw, path, problems);
  return documents.named(kind, fields[key], [...path, key], problems);
}

function only(raw: unknown, path: Path, what: string, problems: Problems): unknown {
  if (Array.isArray(raw) && raw.length === 1) return raw[0];
  problems.add(
    path,
    { wrong: raw === undefined ? "missing" : `not one ${what}`, expected: `a list of one ${what}` },
    raw,
  );
  return undefined;
}

function pairText(pair: BurnWindow, periodDays: BudgetPeriodDays): string {
  return `gt ${burnFactor(pair, periodDays)} in ${durationText(pair.longSeconds)} as ${severityNames[pair.severity]}`;
}

/** The pair of windows that a condition is; `undefined` after a problem. */
function pairOf(object: OpenSloObject, periodDays: BudgetPeriodDays): BurnWindow | undefined {
  const { path, problems } = object;
  const before = problems.texts.length;
  const at = [...path, "spec"];
  const { severity, condition } = checkFields(alertFields, object.spec, at, problems);
  const inner = [...at, "condition"];
  const { op, threshold, lookbackWindow, alertAfter } = checkFields(conditionFields, condition, inner, problems);
  if (alertAfter !== undefined && shorthandSeconds(alertAfter) !== 0) {
    const wayOut = "The second window of the pair says how lasting it must be";
    problems.add([...inner, "alertAfter"], { wrong: "not honoured", expected: "0m, or nothing", wayOut }, alertAfter);
  }
  if (problems.texts.length > before || !op || threshold === undefined || lookbackWindow === undefined)
    return undefined;
  const long = shorthandSeconds(lookbackWindow);
  const pair = burnWindows.find((candidate) => candidate.longSeconds === long);
  const fits =
    pair &&
    op === "gt" &&
    severityNames[pair.severity] === severity &&
    Math.abs(burnFactor(pair, periodDays) - threshold) < 0.000_5;
  if (!pair || !fits) {
    const expected = `one of ours with a period of ${periodDays}d: ${listText(burnWindows.map((one) => pairText(one, periodDays)))}`;
    const wrong = `not a condition that is watched, got ${op} ${threshold} in ${lookbackWindow} as ${severity}`;
    problems.add(inner, { wrong, expected });
    return undefined;
  }
  const short = durationText(pair.shortSeconds);
  const key = [...path, "metadata", "annotations", annotations.shortWindow];
  const written = object.annotations[annotations.shortWindow];
  if (written !== short) {
    const wrong = "the budget must have burnt as fast in a second, short window too, which is not said";
    problems.add(key, { wrong: written === undefined ? wrong : "another short window", expected: short }, written);
    return undefined;
  }
  return pair;
}

function checkTargets(
  raw: unknown,
  severity: Severity | undefined,
  path: Path,
  policy: OpenSloObject,
  documents: Documents,
): void {
  const { problems } = policy;
  const entry = only(raw, path, "notification target", problems);
  if (entry === undefined) return;
  const target = resolved(
    entry,
    { key: "targetRef", kind: "AlertNotificationTarget" },
    [...path, 0],
    documents,
    problems,
  );
  if (!target || severity === undefined) return;
  if (target.spec.target !== targetNames[severity]) {
    const wrong = `not whom ${severityNames[severity]} alerts go to`;
    const wayOut = "Who that is, alerting in the stack config says";
    target.problems.add(
      [...target.path, "spec", "target"],
      { wrong, expected: targetNames[severity], wayOut },
      target.spec.target,
    );
  }
}

/** The pair that one policy watches; `undefined` after a problem. */
function readPolicy(policy: OpenSloObject, periodDays: BudgetPeriodDays, documents: Documents): BurnWindow | undefined {
  const { path, problems } = policy;
  const at = [...path, "spec"];
  const fields = checkFields(policyFields, policy.spec, at, problems);
  const musts = { alertWhenBreaching: true, alertWhenResolved: true, alertWhenNoData: false } as const;
  for (const [key, must] of Object.entries(musts) as [keyof typeof musts, boolean][]) {
    // Unsaid is false everywhere.
    if ((fields[key] ?? false) === must) continue;
    const complaint = { wrong: fields[key] === undefined ? "missing" : "not honoured", expected: String(must) };
    problems.add([...at, key], complaint, fields[key]);
  }
  const place = [...at, "conditions"];
  const entry = only(fields.conditions, place, "condition", problems);
  const condition =
    entry === undefined
      ? undefined
      : resolved(entry, { key: "conditionRef", kind: "AlertCondition" }, [...place, 0], documents, problems);
  const pair = condition && pairOf(condition, periodDays);
  checkTargets(fields.notificationTargets, pair?.severity, [...at, "notificationTargets"], policy, documents);
  return pair;
}

/**
 * What the alert policies of an SLO say about its budget; `undefined` after a problem.
 * @param owner the SLO
 */
export function readPolicies(
  raw: unknown,
  periodDays: BudgetPeriodDays,
  owner: OpenSloObject,
  documents: Documents,
): BurnSettings | undefined {
  const { problems } = owner;
  const path = ["spec", "alertPolicies"];
  if (!Array.isArray(raw)) {
    problems.add(path, { wrong: "must be a list", expected: "a list of alert policies" }, raw ?? undefined);
    return undefined;
  }
  const policies = raw.map((entry: unknown, index) =>
    resolved(entry, { key: "alertPolicyRef", kind: "AlertPolicy" }, [...path, index], documents, problems),
  );
  const pairs = policies.map((policy) => policy && readPolicy(policy, periodDays, documents));
  if (pairs.some((pair) => pair === undefined)) return undefined;
  for (const windows of ["page", "ticket"] as const) {
    const asked = pairsOf(windows);
    if (asked.length === pairs.length && asked.every((pair) => pairs.includes(pair))) return { periodDays, windows };
  }
  const lists = (["page", "ticket"] as const).map((windows) =>
    listText(
      pairsOf(windows).map((pair) => pairText(pair, periodDays)),
      "and",
    ),
  );
  problems.add(path, { wrong: "not all pairs of windows that belong together", expected: lists.join("; or ") }, raw);
  return undefined;
}

/** Checks the fields of policies and conditions, whoever names them. */
export function checkAlerting(documents: Documents): void {
  for (const { spec, problems } of documents.of("AlertPolicy")) checkFields(policyFields, spec, ["spec"], problems);
  for (const { spec, problems } of documents.of("AlertCondition")) {
    const { condition } = checkFields(alertFields, spec, ["spec"], problems);
    checkFields(conditionFields, condition, ["spec", "condition"], problems);
  }
}

/** Pairs by what was asked for. */
export function pairsOf(windows: BurnSettings["windows"]): readonly BurnWindow[] {
  return burnWindows.filter(({ severity }) => windows === "ticket" || severity === "critical");
}
