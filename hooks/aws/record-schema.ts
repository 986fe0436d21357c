/**
 * The record and its history as zod schemas: what is read from a table is checked before anyone acts on it. Strict, so a field
 * this version does not know is refused by name, not dropped by the next write.
 *
 * The types at the end make the compiler compare the schemas with `core/record.ts`; a field added on one side alone is a type
 * error here.
 */
import * as z from "zod/mini";
import { metricSources, responses, severities } from "../../core/objectives.ts";
import { type HistoryEntry, pageSeverities, type RolloutRecord, recordSchemaVersion } from "../../core/record.ts";
import { runbooks } from "../../core/runbooks.ts";
import {
  capacity,
  controlGroup,
  count,
  criterion,
  figure,
  finishedRelease,
  formerRelease,
  indicator,
  percent,
  promises,
  recordedSplit,
  workload,
} from "../zod.ts";

const text = z.string();
const digest = z.string().check(z.minLength(1));
const instant = z.number();
const mode = z.enum(["act", "observe"]);
const response = z.enum(responses);
const severity = z.enum(severities);
const signed = z.strictObject({ by: text, reason: text, at: instant });

const plan = z.strictObject({
  name: text,
  waves: z.array(
    z.strictObject({
      exposurePercent: percent,
      minimumSoakMinutes: z.nullable(z.number()),
      lookEverySeconds: z.number(),
      minimumRequests: z.number(),
      lowering: z.enum(["automatic", "human"]),
      approvals: z.optional(z.array(text)),
      advance: z.optional(z.literal("automatic")),
      criteria: z.array(criterion),
    }),
  ),
  watchAfterMinutes: z.number(),
  coolOffMinutes: z.optional(z.number()),
});

const watchedAlarm = z.strictObject({
  alarmName: text,
  digest,
  objective: text,
  indicator,
  severity,
  response,
  mode,
  disableAnyway: z.boolean(),
  settleSeconds: z.number(),
  atPercents: z.optional(z.array(percent)),
  watchedIn: z.optional(z.enum(["prometheus", "datadog"])),
  query: z.optional(text),
});

const recordedRelease = z.strictObject({
  digest,
  version: text,
  image: z.optional(text),
  targetGroupArn: text,
  targetGroupArnSuffix: text,
  adopted: z.boolean(),
  knownGood: z.boolean(),
});

const recordedControl = z.strictObject({
  ...controlGroup.shape,
  weightsLeftAt: z.optional(instant),
  lostAt: z.optional(instant),
});

const canary = z.strictObject({
  digest,
  attempt: count,
  exposurePercent: percent,
  waveOpenedAt: instant,
  exposedSince: z.optional(instant),
  openedFromPercent: z.optional(percent),
  figures: z.optional(z.array(figure)),
  servedPercents: z.array(percent),
  weightsLeftAt: z.optional(instant),
});

const lease = z.strictObject({
  id: text,
  kind: z.enum(["opening", "lowering", "finish"]),
  digest,
  attempt: count,
  fromPercent: percent,
  toPercent: percent,
  takenBy: text,
  expiresAt: instant,
});

const breach = z.strictObject({
  id: text,
  digest,
  objective: text,
  severity,
  response,
  startedAt: instant,
  exposureAtStartPercent: percent,
  targetPercent: percent,
  lastStepAt: instant,
  settleSeconds: z.number(),
  disableAnyway: z.boolean(),
  observed: z.boolean(),
});

/** One hold, as records and snapshots have it. */
export const holdSchema = z.strictObject({
  id: text,
  scope: z.enum(["digest", "service"]),
  digest,
  at: instant,
  cause: z.enum([
    "breach",
    "kill",
    "unexplained-lowering",
    "flag-failed",
    "receiver-lost",
    "blind",
    "no-other-release",
    "dependency",
    "unknown-target-group",
    "peer",
  ]),
  detail: text,
  response,
  targetPercent: percent,
  attempt: count,
  acknowledged: z.optional(signed),
});

const page = z.strictObject({
  id: text,
  dedupKey: text,
  severity: z.enum(pageSeverities),
  summary: text,
  detail: text,
  at: instant,
  action: z.optional(z.literal("resolve")),
  runbook: z.optional(z.enum(runbooks)),
  holdId: z.optional(text),
  owner: z.optional(text),
  deliveredTo: z.optional(z.array(text)),
});

/** The rollout record of schema version 1. */
export const rolloutRecordSchema = z.strictObject({
  schemaVersion: z.number(),
  revision: count,
  realityGeneration: count,
  environment: text,
  service: z.string().check(z.minLength(1)),
  mode,
  source: z.enum(metricSources),
  plan,
  rules: z.array(z.strictObject({ arn: text, role: z.enum(["main", "tester", "anchor"]) })),
  leavingRules: z.optional(z.array(text)),
  alarms: z.array(watchedAlarm),
  loadBalancerArnSuffix: text,
  stickinessSeconds: z.optional(z.number()),
  split: z.optional(recordedSplit),
  flagsOn: z.optional(z.record(text, digest)),
  flagDueSince: z.optional(instant),
  blindMinutes: z.number(),
  dependencyOwner: z.optional(text),
  dependencyGroup: z.optional(text),
  peers: z.optional(z.array(text)),
  targetGroup: z.optional(z.record(text, z.union([text, z.number()]))),
  workload: z.optional(workload),
  capacity: z.optional(capacity),
  rollbackWindowMinutes: z.number(),
  releases: z.record(digest, recordedRelease),
  baseline: digest,
  control: z.optional(recordedControl),
  canary: z.optional(canary),
  previous: z.optional(z.strictObject({ digest, until: instant })),
  leaving: z.record(digest, instant),
  ceilings: z.record(digest, percent),
  attempts: z.record(digest, count),
  lastIntent: z.optional(z.strictObject({ digest, attempt: count, wave: percent })),
  lease: z.optional(lease),
  breaches: z.record(text, breach),
  holds: z.record(text, holdSchema),
  paused: z.optional(signed),
  blindSince: z.optional(instant),
  outbox: z.array(page),
  openIncidents: z.optional(z.array(text)),
  snapshotsDue: z.optional(z.array(text)),
  broadcastsDue: z.optional(z.array(text)),
  declaredBy: z.optional(text),
  retiredAt: z.optional(instant),
  promises: z.optional(promises),
  finished: z.optional(z.record(text, finishedRelease)),
  former: z.optional(z.array(formerRelease)),
});

/** One entry of the history beside the record. */
export const historyEntrySchema = z.strictObject({ at: instant, kind: text, message: text, exposurePercent: percent });

/** What is stored, judged: the record, or why this version must not touch it. */
export type Judged = { readonly record: RolloutRecord } | { readonly reason: string };

/** Judges a stored value: schema version first, because a newer record is not garbage. */
export function judgeRecord(value: unknown): Judged {
  const version = z.looseObject({ schemaVersion: z.int().check(z.positive()) }).safeParse(value);
  if (!version.success) return { reason: `it has no schemaVersion; expected ${recordSchemaVersion}` };
  const { schemaVersion } = version.data;
  if (schemaVersion > recordSchemaVersion) {
    return {
      reason: `it has schema version ${schemaVersion}; this version knows ${recordSchemaVersion}. Use the Tidegate version that wrote it, or a newer one`,
    };
  }
  const parsed = rolloutRecordSchema.safeParse(value);
  return parsed.success ? { record: parsed.data } : { reason: `it is no record: ${problemsOf(parsed.error)}` };
}

/** Every problem with its path, on one line. */
export function problemsOf(error: z.core.$ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".") || "value"}: ${issue.message}`).join("; ");
}

/** `true` only for identical types; readonly is taken off first, because zod has no readonly without freezing. */
export type Same<Left, Right> =
  (<Probe>() => Probe extends Mutable<Left> ? 1 : 2) extends <Probe>() => Probe extends Mutable<Right> ? 1 : 2
    ? true
    : false;
type Mutable<Type> = Type extends object ? { -readonly [Key in keyof Type]: Mutable<Type[Key]> } : Type;

true satisfies Same<z.infer<typeof rolloutRecordSchema>, RolloutRecord>;
true satisfies Same<z.infer<typeof historyEntrySchema>, HistoryEntry>;
