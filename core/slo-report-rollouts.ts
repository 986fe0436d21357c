/**
 * Rollouts and incidents out of a service's history (D6): what opened, how it ended, what went wrong and how long it took to have users off it.
 * The history is words that `commit.ts`, `lowering.ts` and `breaches.ts` write; a test runs those and reads it back.
 */
import type { Severity } from "./objectives.ts";
import type { HistoryEntry, Hold, Instant } from "./record.ts";

/** One release on its way to everybody. */
export interface Rollout {
  readonly version: string;
  /** First share of the traffic. */
  readonly startedAt: Instant;
  readonly endedAt?: Instant;
  /** `replaced`: made the baseline at once, without waves. */
  readonly outcome: "running" | "finished" | "rolled-back" | "abandoned" | "replaced";
  /** When each share was opened, the first included. */
  readonly openedAt: readonly Instant[];
  /** Unit: percent. */
  readonly highestPercent: number;
}

/** Something that broke a promise, or that somebody stopped. */
export interface Incident {
  /** The hold's, where one was put. */
  readonly id: string;
  readonly what: string;
  readonly severity: Severity;
  readonly kind: "breach" | "kill" | "hold";
  readonly startedAt: Instant;
  /** When users were off it, or it was within bounds again. */
  readonly restoredAt?: Instant;
  /** When it was restored, or a person took it over by an acknowledgement. */
  readonly handledAt?: Instant;
  readonly acknowledgedBy?: string;
}

const moved = /^(.+) from ([\d.]+) % to ([\d.]+) %$/;
const finished = /^(.+) is the baseline at 100 %, .+ stays armed$/;
const returned = /^(.+) to 0 %: all traffic returns to .+$/;

/** Every rollout of a history, oldest first. @param history oldest first */
export function rolloutsIn(history: readonly HistoryEntry[]): readonly Rollout[] {
  const done: Rollout[] = [];
  let running: Rollout | undefined;
  const end = (outcome: Rollout["outcome"], endedAt: Instant) => {
    if (running) done.push({ ...running, outcome, endedAt });
    running = undefined;
  };
  for (const { at, kind, message } of history) {
    const move = moved.exec(message);
    const [, version = "", fromText = "0", toText = "0"] = move ?? [];
    const to = Number(toText);
    if (kind === "commit" && move) {
      if (to === 0) end("abandoned", at);
      else if (running && running.version === version) {
        const opened = to > Number(fromText) ? [at] : [];
        running = {
          ...running,
          openedAt: [...running.openedAt, ...opened],
          highestPercent: Math.max(running.highestPercent, to),
        };
      } else {
        end("abandoned", at);
        running = { version, startedAt: at, outcome: "running", openedAt: [at], highestPercent: to };
      }
    } else if (kind === "commit" && finished.test(message)) {
      const baseline = finished.exec(message)?.[1] ?? "";
      if (running?.version === baseline) end("finished", at);
      else {
        end("abandoned", at);
        const replaced = { openedAt: [], highestPercent: 100, outcome: "replaced" } as const;
        done.push({ version: baseline, startedAt: at, endedAt: at, ...replaced });
      }
    } else if (kind === "rollback") {
      const gone = move ? version : (returned.exec(message)?.[1] ?? "");
      if (running?.version === gone) end("rolled-back", at);
      else rollBackFinished(done, gone, at);
    } else if (kind === "retired") {
      end("abandoned", at);
    }
  }
  return running ? [...done, running] : done;
}

/** Within the rollback window a release that had finished may still be rolled back. */
function rollBackFinished(done: Rollout[], version: string, at: Instant): void {
  const index = done.findLastIndex((rollout) => rollout.version === version);
  const rollout = done[index];
  if (rollout) done[index] = { ...rollout, outcome: "rolled-back", endedAt: at };
}

const breached = /^(\S+) \((critical|warning)\) of (.+?)(?: at [\d.]+ %|, the baseline)?: (\S+)(?: to [\d.]+ %)?$/;

/**
 * Every incident of a history, oldest first: breaches that were acted on or told, kills, and other holds. Observed ones are none.
 * @param versions by digest, for holds, which know no other name of their release
 */
export function incidentsIn(
  history: readonly HistoryEntry[],
  holds: readonly Hold[],
  versions: Readonly<Record<string, string>> = {},
): readonly Incident[] {
  const byId = new Map(holds.map((hold) => [hold.id, hold]));
  const breaches = history.flatMap((entry): Incident[] => {
    const parts = entry.kind === "breach" ? breached.exec(entry.message) : null;
    if (!parts) return [];
    const [, objective = "", severity = "", version = "", response = ""] = parts;
    const id = `${objective}-${severity}-${entry.at}`;
    return [
      {
        id,
        what: `${objective} (${severity}) of ${version}: ${response}`,
        severity: severity === "critical" ? "critical" : "warning",
        kind: "breach",
        startedAt: entry.at,
        ...endOf(history, entry.at, byId.get(id), version, `${objective} (${severity}) of ${version} `),
      },
    ];
  });
  const rollouts = rolloutsIn(history);
  const told = new Set(breaches.map(({ id }) => id));
  const others = holds
    .filter(({ id }) => !told.has(id))
    .map(
      (hold): Incident => ({
        id: hold.id,
        what: hold.detail,
        severity: "critical",
        kind: hold.cause === "kill" ? "kill" : "hold",
        startedAt: hold.at,
        ...endOf(history, hold.at, hold, hold.cause === "kill" ? "any" : versionOf(hold, versions, rollouts)),
      }),
    );
  return [...breaches, ...others].sort((left, right) => left.startedAt - right.startedAt);
}

/** Whose traffic a hold is about, else whoever was on its way then; `undefined`: nobody knows. */
function versionOf(
  { digest, at }: Hold,
  versions: Readonly<Record<string, string>>,
  rollouts: readonly Rollout[],
): string | undefined {
  const running = rollouts.findLast(({ startedAt, endedAt }) => startedAt <= at && (endedAt ?? at) >= at);
  return versions[digest] ?? running?.version;
}

/** Whom a line takes traffic from; a commit that goes to nothing does, too. `undefined`: from nobody. */
function loweredIn({ kind, message }: HistoryEntry): string | undefined {
  const [, version, , to] = moved.exec(message) ?? [];
  if (kind === "commit") return Number(to) === 0 ? version : undefined;
  if (kind !== "rollback" && kind !== "lowered") return undefined;
  return version ?? returned.exec(message)?.[1];
}

function isLowering(entry: HistoryEntry, version: string | undefined): boolean {
  const lowered = loweredIn(entry);
  return lowered !== undefined && (version === "any" || lowered === version);
}

/**
 * The first lowering of that release, or recovery, from then on restores: another release's changes nothing for its users. An
 * acknowledgement of the incident's own hold handles as well.
 * @param version `undefined`: nobody knows whose, and no lowering is taken for its end; `any`: a kill takes traffic from whoever has it
 */
function endOf(
  history: readonly HistoryEntry[],
  startedAt: Instant,
  hold: Hold | undefined,
  version: string | undefined,
  recoveredPrefix?: string,
): Pick<Incident, "restoredAt" | "handledAt" | "acknowledgedBy"> {
  const restored = history.find(
    (entry) =>
      entry.at >= startedAt &&
      (isLowering(entry, version) ||
        (entry.kind === "recovered" && recoveredPrefix !== undefined && entry.message.startsWith(recoveredPrefix))),
  );
  const { acknowledged } = hold ?? {};
  const ends = [restored?.at, acknowledged?.at].filter((at): at is number => at !== undefined);
  return {
    ...(restored ? { restoredAt: restored.at } : {}),
    ...(ends.length > 0 ? { handledAt: Math.min(...ends) } : {}),
    ...(acknowledged ? { acknowledgedBy: acknowledged.by } : {}),
  };
}
