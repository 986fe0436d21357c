/** `status` for people: the worst thing, a table of the services, what stands on each of them and what to type about it. Times are UTC. */
import { styleText } from "node:util";
import Table from "cli-table3";
import type { EnvironmentStatus, ReadService, ServiceStatus } from "../hooks/status.ts";
import { allFindings, type HookReach } from "./status-json.ts";
import { withoutBorders } from "./table-borders.ts";

interface Place {
  /** Account and region. */
  readonly where: string;
  /** Flags that name the environment in a command. */
  readonly placeWords: string;
}

export function renderStatus(
  status: EnvironmentStatus,
  hook: HookReach,
  place: Place,
  look: { readonly colours: boolean },
): string[] {
  const paint = (colour: "red" | "green" | "bold", text: string) =>
    look.colours ? styleText(colour, text, { validateStream: false }) : text;
  const findings = allFindings(status, hook);
  const [worst, ...others] = findings;
  const count = `${status.services.length} service${status.services.length === 1 ? "" : "s"}`;
  const more = others.length === 0 ? "" : ` (and ${others.length} more below)`;
  return [
    worst ? paint("red", `BAD: ${worst.text}${more}`) : paint("green", `OK: ${count}, nothing stands against any`),
    `environment ${status.environment}, ${place.where}, at ${clock(status.at)}`,
    ...(status.services.length === 0 ? [] : ["", ...table(status.services, status.at)]),
    ...(others.length === 0
      ? []
      : ["", paint("bold", "What is bad, worst first"), ...findings.map(({ text }) => `  ${text}`)]),
    ...status.services
      .flatMap((service) => details(service, place))
      .flatMap((line, index) => (index === 0 ? ["", line] : [line])),
    "",
    `hook: ${hook.isReachable ? "reachable from here" : `NOT reachable from here: ${hook.problem}`}`,
    `last drill: ${drillWords(status)}`,
  ];
}

function table(services: readonly ServiceStatus[], at: number): string[] {
  const cells = new Table({
    head: ["service", "mode", "baseline", "canary", "record", "live", "in wave", "ceiling", "heartbeat"],
    chars: withoutBorders,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0, compact: true },
  });
  for (const service of services) cells.push(row(service, at));
  return cells
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}

function row(status: ServiceStatus, at: number): string[] {
  if (status.kind !== "read")
    return [status.service, "?", status.kind === "absent" ? "no record" : "UNREADABLE", "", "", "", "", "", ""];
  const { canary, heartbeat } = status;
  const beat =
    heartbeat.kind === "unreadable"
      ? "UNREADABLE"
      : heartbeat.at === undefined
        ? "never"
        : `${age(at - heartbeat.at)} ago`;
  const isRetired = status.retiredAt !== undefined;
  return [
    status.service,
    isRetired ? "retired" : status.mode,
    status.baseline.version,
    canary ? `${canary.version} #${canary.attempt}` : "–",
    canary ? `${canary.committedPercent} %` : "–",
    canary ? (canary.livePercent === undefined ? "UNREADABLE" : `${round(canary.livePercent)} %`) : "–",
    canary ? age(canary.secondsInWave * 1_000) : "–",
    canary ? `${canary.ceilingPercent} %` : "–",
    isRetired ? "–" : beat,
  ];
}

/** What a row has no room for. */
function details(status: ServiceStatus, { placeWords }: Place): string[] {
  if (status.kind !== "read") return [];
  const say = (command: string) => `      npx tidegate ${command} ${placeWords} --service ${status.service}`;
  const lines = [
    ...status.breaches.map(
      (breach) =>
        `  breach: ${breach.version}, ${breach.objective} (${breach.severity}) since ${clock(breach.startedAt)}, response ${breach.response}${
          breach.observed ? ", observed only" : ` to ${breach.targetPercent} %`
        }`,
    ),
    ...status.holds.flatMap((hold) => [
      `  hold ${hold.id}: ${hold.scope === "service" ? "the service" : hold.version}, ${hold.cause}, since ${clock(hold.at)}: ${hold.detail}`,
      `${say("acknowledge")} --hold ${hold.id} --reason "..."`,
    ]),
    ...(status.lease ? [leaseWords(status.lease)] : []),
    ...(status.paused
      ? [
          `  paused since ${clock(status.paused.at)} by ${status.paused.by}: ${status.paused.reason}`,
          `${say("resume")} --reason "..."`,
        ]
      : []),
    ...(status.previous
      ? [`  ${status.previous.version} can have the traffic back until ${clock(status.previous.until)}`]
      : []),
    ...(status.pagesWaiting > 0 ? [`  ${status.pagesWaiting} page(s) not delivered yet`] : []),
  ];
  return lines.length === 0 ? [] : [status.service, ...lines];
}

function leaseWords(lease: NonNullable<ReadService["lease"]>): string {
  const end = lease.isOver ? `ran out ${clock(lease.expiresAt)}` : `until ${clock(lease.expiresAt)}`;
  return `  lease: ${lease.kind} of ${lease.version} from ${lease.fromPercent} % to ${lease.toPercent} %, taken by ${lease.takenBy}, ${end}`;
}

function drillWords({ drill, at }: EnvironmentStatus): string {
  if (drill.kind === "unreadable") return `cannot be read: ${drill.problem}`;
  const { startedAt, arrivedAt } = drill.state ?? {};
  if (arrivedAt === undefined) return startedAt === undefined ? "none" : `${clock(startedAt)}, never came through`;
  if (startedAt !== undefined && startedAt > arrivedAt)
    return `${clock(startedAt)}, not come through yet; the one before ${age(at - arrivedAt)} ago`;
  return `came through ${age(at - arrivedAt)} ago`;
}

/** `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `2026-01-05 10:00:00Z`. */
export function clock(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
