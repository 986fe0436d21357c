/** `history`: what happened to a service, newest last; one rollback's snapshot; the draft of its post-mortem (B6). Reads only. */
import { oneLine } from "../core/error-message.ts";
import type { HistoryEntry, Instant, RolloutRecord } from "../core/record.ts";
import type { Snapshot } from "../core/snapshot.ts";
import type { Ports } from "../hooks/ports.ts";
import type { Surroundings } from "./command.ts";
import { RefusedError } from "./failures.ts";
import { type HistoryJson, iso, jsonText, whereJson } from "./json.ts";
import { begin, type Operation, type OperatorFlags, placeWords } from "./operation.ts";
import { readServiceName } from "./place.ts";

/** As many as fit a screen or two. */
const defaultLimit = 50;

interface Asked {
  readonly service: string;
  readonly limit: number;
  readonly since: Instant | undefined;
  readonly snapshot: string | undefined;
  readonly postMortem: string | undefined;
}

export async function historyCommand(flags: OperatorFlags, surroundings: Surroundings): Promise<void> {
  const operation = await begin("history", flags, surroundings, (problems, outside) =>
    readFlags(flags, outside.timers.now(), problems),
  );
  const ports = await operation.connection.ports();
  const { own } = operation;
  if (own.snapshot !== undefined) return printSnapshot(operation, ports, own.service, own.snapshot, surroundings);
  if (own.postMortem !== undefined) return printPostMortem(operation, ports, own.service, own.postMortem);
  return printHistory(operation, ports, own);
}

function readFlags(flags: OperatorFlags, now: Instant, problems: string[]): Asked {
  const service = readServiceName(flags.service, problems);
  const modes = [
    ...(flags.snapshot === undefined ? [] : ["--snapshot"]),
    ...(flags.postMortem === undefined ? [] : ["--post-mortem"]),
    ...(flags.limit === undefined && flags.since === undefined
      ? []
      : [flags.limit === undefined ? "--since" : "--limit"]),
  ];
  if (modes.length > 1)
    problems.push(
      `${modes[0]}: says another thing to print than ${modes.slice(1).join(" and ")}; expected one of them`,
    );
  return {
    service: service ?? "",
    limit: flags.limit === undefined ? defaultLimit : readLimit(flags.limit, problems),
    since: flags.since === undefined ? undefined : readSince(flags.since, now, problems),
    snapshot: flags.snapshot,
    postMortem: flags.postMortem,
  };
}

function readLimit(text: string, problems: string[]): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  problems.push(`--limit: not a number of entries, got "${text}"; expected 1 or more`);
  return defaultLimit;
}

const unitMilliseconds: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A span back from now (`90m`, `2h`, `3d`), or an instant in ISO 8601 with its zone. */
function readSince(text: string, now: Instant, problems: string[]): Instant | undefined {
  const span = /^(\d{1,6})([mhd])$/.exec(text);
  if (span) return now - Number(span[1]) * (unitMilliseconds[span[2] ?? ""] ?? 0);
  const at = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isFinite(at)) return at;
  problems.push(
    `--since: not a time, got "${text}"; expected a span such as 90m, 2h or 3d, a day, or an instant with its zone such as 2026-01-05T10:00Z`,
  );
  return undefined;
}

async function printHistory(operation: Operation, ports: Ports, asked: Asked): Promise<void> {
  const all = await readOr(operation, asked.service, "its history", () => ports.records.history(asked.service));
  const from = asked.since;
  const entries = all.filter((entry) => from === undefined || entry.at >= from).slice(-asked.limit);
  if (operation.asksJson) {
    const json: HistoryJson = {
      ...whereJson(operation.place),
      service: asked.service,
      total: all.length,
      entries: entries.map(({ at, kind, message, exposurePercent }) => ({
        at: iso(at),
        kind,
        message,
        exposurePercent,
      })),
    };
    return operation.out(jsonText(json));
  }
  if (entries.length === 0)
    return operation.out(`${asked.service}: no history${all.length === 0 ? "" : " since then"}`);
  const hidden = all.length - entries.length;
  if (hidden > 0) operation.out(`(${hidden} older of ${all.length} not shown; --limit and --since show others)`);
  for (const entry of entries) operation.out(entryLine(entry));
}

function entryLine({ at, kind, message, exposurePercent }: HistoryEntry): string {
  const percent = `${exposurePercent} %`.padStart(5);
  return `${iso(at).slice(0, 19).replace("T", " ")}Z ${percent} ${kind.padEnd(14)} ${message.replace(/\s+/g, " ")}`;
}

async function printSnapshot(
  operation: Operation,
  ports: Ports,
  service: string,
  id: string,
  surroundings: Surroundings,
): Promise<void> {
  const snapshot = await readOr(operation, service, `snapshot ${id}`, () => ports.records.readSnapshot(service, id));
  if (!snapshot)
    throw new RefusedError(`${service}: no snapshot ${id}; ${await knownHolds(operation, ports, service)}`);
  if (operation.asksJson) return operation.out(jsonText(snapshot));
  const { renderSnapshot } = await import("./snapshot-text.ts");
  for (const line of renderSnapshot(snapshot)) surroundings.out(line);
}

async function printPostMortem(operation: Operation, ports: Ports, service: string, holdId: string): Promise<void> {
  const record = await readOr(operation, service, "its record", () => ports.records.read(service));
  const snapshot = await snapshotIfReadable(operation, ports, service, holdId);
  const hold = record?.holds[holdId] ?? snapshot?.hold;
  const shown: RolloutRecord | undefined = record ?? snapshot?.record;
  if (!hold || !shown)
    throw new RefusedError(`${service}: no hold ${holdId}; ${await knownHolds(operation, ports, service)}`);
  const history = await readOr(operation, service, "its history", () => ports.records.history(service));
  const { postMortem } = await import("../core/post-mortem.ts");
  const markdown = postMortem({ hold, record: shown, snapshot, history });
  operation.out(operation.asksJson ? jsonText({ service, holdId, markdown }) : markdown);
}

/** A draft without its figures is still a draft. */
async function snapshotIfReadable(
  operation: Operation,
  ports: Ports,
  service: string,
  id: string,
): Promise<Snapshot | undefined> {
  try {
    return await ports.records.readSnapshot(service, id);
  } catch (error) {
    operation.note(`${service}: snapshot ${id} cannot be read: ${oneLine(error)}`);
    return undefined;
  }
}

async function knownHolds(operation: Operation, ports: Ports, service: string): Promise<string> {
  try {
    const ids = Object.keys((await ports.records.read(service))?.holds ?? {});
    return `its holds are ${ids.join(", ") || "none"}. A snapshot has the id of its hold`;
  } catch {
    return `look with npx tidegate status ${placeWords(operation.place)}`;
  }
}

async function readOr<Value>(
  operation: Operation,
  service: string,
  what: string,
  read: () => Promise<Value>,
): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    throw new RefusedError(`${service}: ${operation.command}: ${what} cannot be read: ${oneLine(error)}`);
  }
}
