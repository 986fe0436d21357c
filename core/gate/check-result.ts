/**
 * A check's result as its file has it (E5): what k6's `handleSummary` was given, or the few lines that any other check can write; in both,
 * `tidegate: { release, endedAt }` says which release it was run against, and when.
 *
 *     { "tidegate": { "release": "2.4.0", "endedAt": "2026-11-22T10:00:00Z" }, "passed": true, "failed": [] }
 *
 * k6 writes its summary in three forms, and two of them would lead a reader astray (read 2026-11):
 * - `handleSummary(data)`: `metrics.<name>.thresholds.<text>.ok`, and checks with passes and fails in `root_group`, groups in groups
 *   (https://grafana.com/docs/k6/latest/results-output/end-of-test/custom-summary/). Read here.
 * - `--summary-export`: a threshold there is `true` where it FAILED (grafana/k6 issue 1498). Refused by name.
 * - `--new-machine-readable-summary`: has no thresholds at all (its schema 1.0.0), so one that failed would not show. Refused by name.
 */
import type { CheckResult } from "./evidence.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Deepest group in a group that is read; deeper is refused. */
const mostDepth = 50;

/** Longest release name that is taken. Unit: characters. */
const mostVersionCharacters = 64;

/** Reads what `JSON.parse` gave. Never throws: what cannot be judged is `unreadable`, with the reason. */
export function readCheckResult(name: string, raw: unknown): CheckResult {
  try {
    return { name, ...resultIn(raw) };
  } catch (error) {
    if (error instanceof NotAResult) return { name, unreadable: error.message };
    throw error;
  }
}

/** Why a file is no result that could be judged. */
class NotAResult extends Error {
  override readonly name = "NotAResult";
}

function resultIn(raw: unknown): Omit<Extract<CheckResult, { readonly version: string }>, "name"> {
  if (!isFields(raw)) throw new NotAResult(`no map, got ${kindOf(raw)}; expected a JSON object`);
  const stamp = raw.tidegate;
  if (!isFields(stamp)) {
    throw new NotAResult(
      `tidegate: missing, got ${kindOf(stamp)}; expected { release, endedAt } beside what k6's handleSummary was given`,
    );
  }
  const { release: version, endedAt: ended } = stamp;
  if (typeof version !== "string" || version === "" || version.length > mostVersionCharacters) {
    throw new NotAResult(`tidegate.release: not a release, got ${shown(version)}; expected its version as a text`);
  }
  const endedAt = typeof ended === "string" ? instantOf(ended) : undefined;
  if (endedAt === undefined) {
    throw new NotAResult(
      `tidegate.endedAt: not an instant, got ${shown(ended)}; expected one such as 2026-11-22T10:00:00Z`,
    );
  }
  return { version, endedAt, ...outcomeIn(raw) };
}

function outcomeIn(raw: Fields): { readonly isPassed: boolean; readonly failed: readonly string[] } {
  if ("passed" in raw) return plainOutcome(raw);
  if ("results" in raw) {
    throw new NotAResult(
      "the form of k6's --new-machine-readable-summary, which does not tell thresholds; expected the other one. Run k6 with --new-machine-readable-summary=false",
    );
  }
  if (!("metrics" in raw) && !("root_group" in raw)) {
    throw new NotAResult("neither passed nor k6's metrics and root_group; expected one of the two");
  }
  const outcomes = [...thresholdsIn(raw.metrics), ...checksIn(raw.root_group, [])];
  const failed = outcomes.filter(({ ok }) => !ok).map(({ name }) => name);
  // No threshold and no check: it ran, and proved nothing.
  return { isPassed: outcomes.length > 0 && failed.length === 0, failed };
}

function plainOutcome({ passed, failed = [] }: Fields) {
  if (typeof passed !== "boolean")
    throw new NotAResult(`passed: not a switch, got ${shown(passed)}; expected true or false`);
  if (!Array.isArray(failed) || !failed.every((each) => typeof each === "string")) {
    throw new NotAResult(`failed: not a list of names, got ${kindOf(failed)}; expected one such as ["home page"]`);
  }
  if (passed && failed.length > 0) {
    throw new NotAResult(
      `passed: contradicts failed, got true beside ${failed.length} that failed; expected one of the two`,
    );
  }
  return { isPassed: passed, failed };
}

interface Outcome {
  readonly name: string;
  readonly ok: boolean;
}

function thresholdsIn(metrics: unknown): Outcome[] {
  if (metrics === undefined) return [];
  if (!isFields(metrics))
    throw new NotAResult(`metrics: no map, got ${kindOf(metrics)}; expected k6's metrics by name`);
  return Object.entries(metrics).flatMap(([metric, said]) => {
    if (!isFields(said)) throw new NotAResult(`metrics.${metric}: no map, got ${kindOf(said)}; expected k6's metric`);
    if (said.thresholds === undefined) return [];
    if (!isFields(said.thresholds))
      throw new NotAResult(
        `metrics.${metric}.thresholds: no map, got ${kindOf(said.thresholds)}; expected them by text`,
      );
    return Object.entries(said.thresholds).map(([text, outcome]): Outcome => {
      const name = `${metric} ${text}`;
      if (typeof outcome === "boolean") {
        throw new NotAResult(
          `threshold ${name}: the form of k6's --summary-export, in which true means failed; expected { ok }. Write the file in handleSummary`,
        );
      }
      if (!isFields(outcome) || typeof outcome.ok !== "boolean")
        throw new NotAResult(
          `threshold ${name}: does not say ok, got ${shown(outcome)}; expected { ok: true } or { ok: false }`,
        );
      return { name, ok: outcome.ok };
    });
  });
}

/** @param path names of the groups above, outermost first */
function checksIn(group: unknown, path: readonly string[]): Outcome[] {
  const place = ["root_group", ...path].join(" / ");
  if (group === undefined && path.length === 0) return [];
  if (!isFields(group)) throw new NotAResult(`${place}: no group, got ${kindOf(group)}; expected checks and groups`);
  if (path.length > mostDepth)
    throw new NotAResult(`root_group: more than ${mostDepth} groups in groups; expected fewer`);
  const checks = listed(group.checks, `${place}: checks`).map((check): Outcome => {
    const { name, passes, fails } = isFields(check) ? check : {};
    if (typeof name !== "string" || !isCount(passes) || !isCount(fails)) {
      throw new NotAResult(`${place}: no check, got ${kindOf(check)}; expected one with name, passes and fails`);
    }
    // A check that never ran has neither, and passed nothing.
    return { name: [...path, name].join(" / "), ok: fails === 0 && passes > 0 };
  });
  const inner = listed(group.groups, `${place}: groups`).flatMap((each) =>
    checksIn(each, [...path, isFields(each) && typeof each.name === "string" ? each.name : "?"]),
  );
  return [...checks, ...inner];
}

/** Lists in `handleSummary`, absent where there is nothing; a map of them is `--summary-export`'s form. */
function listed(value: unknown, place: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new NotAResult(`${place}: no list, got ${kindOf(value)}; expected what handleSummary was given`);
}

/** ISO 8601 with its zone: without one, it is whoever reads it that decides. */
function instantOf(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "a map" : shown(value);
}

/** Short, and never the inside of a structure: the file is others'. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "object") return kindOf(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
