/**
 * Snapshots as a zod schema, and how one is made to fit into an item. The type at the end makes the compiler compare the schema
 * with `core/snapshot.ts`.
 */
import * as z from "zod/mini";
import { type Snapshot, snapshotSchemaVersion } from "../../core/snapshot.ts";
import { RecordUnreadableError } from "../ports.ts";
import { count } from "../zod.ts";
import { holdSchema, problemsOf, rolloutRecordSchema, type Same } from "./record-schema.ts";

const text = z.string();
const instant = z.number();

const alarmValues = z.strictObject({
  alarmName: text,
  threshold: z.number(),
  badWhen: z.enum(["above", "atLeast", "below", "atMost"]),
  points: z.array(z.strictObject({ at: instant, value: z.number() })),
});

/** The snapshot of schema version 1. */
export const snapshotSchema = z.strictObject({
  schemaVersion: z.number(),
  id: z.string().check(z.minLength(1)),
  service: z.string().check(z.minLength(1)),
  environment: text,
  takenAt: instant,
  hold: holdSchema,
  alarms: z.optional(z.array(z.strictObject({ alarmName: text, state: text, updatedAt: instant }))),
  values: z.optional(z.array(alarmValues)),
  live: z.optional(z.record(text, z.record(text, z.number()))),
  health: z.optional(z.record(text, z.strictObject({ healthyCount: count, totalCount: count }))),
  record: rolloutRecordSchema,
  gaps: z.array(text),
});

true satisfies Same<z.infer<typeof snapshotSchema>, Snapshot>;

/** Judges a stored value: the snapshot, or why this version cannot read it. */
export function judgeSnapshot(value: unknown): { readonly snapshot: Snapshot } | { readonly reason: string } {
  const version = z.looseObject({ schemaVersion: z.int().check(z.positive()) }).safeParse(value);
  if (!version.success) return { reason: `it has no schemaVersion; expected ${snapshotSchemaVersion}` };
  const { schemaVersion } = version.data;
  if (schemaVersion > snapshotSchemaVersion) {
    return {
      reason: `it has schema version ${schemaVersion}; this version knows ${snapshotSchemaVersion}. Use the Tidegate version that wrote it, or a newer one`,
    };
  }
  const parsed = snapshotSchema.safeParse(value);
  return parsed.success ? { snapshot: parsed.data } : { reason: `it is no snapshot: ${problemsOf(parsed.error)}` };
}

/**
 * Most that a snapshot may weigh as JSON. Unit: bytes. A DynamoDB item takes 400 KB, names of attributes included.
 * Source: DynamoDB developer guide, quotas, read 2026-11.
 */
export const maximumSnapshotBytes = 390 * 1_024;

/** Most of one gap's text that is kept. Unit: characters. */
const maximumGapLength = 1_000;

/**
 * A snapshot that fits, never a refusal: what happened at a rollback is worth more than all of its points. First the oldest points
 * go, of every alarm alike; then whole parts, the record's own history of holds and pages last. Each loss is a gap.
 */
export function fitSnapshot(snapshot: Snapshot, maximumBytes: number = maximumSnapshotBytes): Snapshot {
  if (fits(snapshot, maximumBytes)) return snapshot;
  const short = { ...snapshot, gaps: snapshot.gaps.map((gap) => gap.slice(0, maximumGapLength)) };
  if (fits(short, maximumBytes)) return short;
  const thinned = withFewerPoints(short, maximumBytes);
  if (fits(thinned, maximumBytes)) return thinned;
  let rest: Snapshot = without(short, "values");
  for (const part of ["alarms", "live", "health"] as const) {
    if (fits(rest, maximumBytes)) return rest;
    rest = without(rest, part);
  }
  if (fits(rest, maximumBytes)) return rest;
  const { id } = rest.hold;
  const own = rest.record.holds[id];
  const gap = "record: its outbox and its other holds were left out, the snapshot was too large for one item";
  return {
    ...rest,
    record: { ...rest.record, outbox: [], holds: own ? { [id]: own } : {} },
    gaps: [...rest.gaps, gap],
  };
}

function fits(snapshot: Snapshot, maximumBytes: number): boolean {
  return Buffer.byteLength(JSON.stringify(snapshot)) <= maximumBytes;
}

function without(snapshot: Snapshot, part: "values" | "alarms" | "live" | "health"): Snapshot {
  const { [part]: gone, ...rest } = snapshot;
  if (gone === undefined) return snapshot;
  return { ...rest, gaps: [...rest.gaps, `${part}: left out, the snapshot was too large for one item`] };
}

/** The most of the newest points that still fits, by halving the interval; none where even one of each is too many. */
function withFewerPoints(snapshot: Snapshot, maximumBytes: number): Snapshot {
  const { values = [] } = snapshot;
  const longest = Math.max(0, ...values.map((alarm) => alarm.points.length));
  const keeping = (kept: number): Snapshot => ({
    ...snapshot,
    values: values.map((alarm) => ({ ...alarm, points: kept === 0 ? [] : alarm.points.slice(-kept) })),
    gaps: [
      ...snapshot.gaps,
      `values: the oldest points were left out, the snapshot was too large for one item; the newest ${kept} of up to ${longest} of each alarm are kept`,
    ],
  });
  let most = 0;
  let tooMany = longest;
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (fits(keeping(middle), maximumBytes)) most = middle;
    else tooMany = middle;
  }
  return keeping(most);
}

/**
 * The text that is stored: what fits, and what can be read back.
 * @throws TypeError for a snapshot that nobody could read back
 */
export function writableSnapshot(where: string, snapshot: Snapshot): string {
  const body = JSON.stringify(fitSnapshot(snapshot));
  const judged = judgeSnapshot(JSON.parse(body));
  if ("reason" in judged) {
    throw new TypeError(`${where}: refusing to write a snapshot that is unreadable: ${judged.reason}`);
  }
  return body;
}

/** The snapshot in a stored text. @throws RecordUnreadableError */
export function readableSnapshot(where: string, service: string, id: string, body: string | undefined): Snapshot {
  const refuse = (reason: string) => new RecordUnreadableError(`${where} is unreadable: ${reason}`);
  const judged = judgeSnapshot(jsonOf(body));
  if ("reason" in judged) throw refuse(judged.reason);
  const { snapshot } = judged;
  if (snapshot.service !== service || snapshot.id !== id) {
    throw refuse(`it is the snapshot ${snapshot.id} of ${snapshot.service}`);
  }
  return snapshot;
}

function jsonOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
