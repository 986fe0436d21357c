/** A snapshot for people: the hold, then of every alarm the values before and after it for both releases side by side (B6). Times are UTC. */
import { parseAlarmName, releaseKey } from "../core/naming.ts";
import type { Instant } from "../core/record.ts";
import type { AlarmValues, Snapshot } from "../core/snapshot.ts";

const bounds: Readonly<Record<AlarmValues["badWhen"], string>> = {
  above: "above",
  atLeast: "at or above",
  below: "below",
  atMost: "at or below",
};

export function renderSnapshot(snapshot: Snapshot): string[] {
  const { hold, record } = snapshot;
  return [
    `${snapshot.service} (${snapshot.environment}): snapshot ${snapshot.id}, taken ${clock(snapshot.takenAt)}`,
    `hold: ${hold.cause}, ${hold.detail}`,
    `at ${clock(hold.at)}, response ${hold.response} to ${hold.targetPercent} %, attempt ${hold.attempt}, on ${
      hold.scope === "service" ? "the service" : versionOf(snapshot, hold.digest)
    }`,
    ...(hold.acknowledged
      ? [`acknowledged ${clock(hold.acknowledged.at)} by ${hold.acknowledged.by}: ${hold.acknowledged.reason}`]
      : []),
    `record: revision ${record.revision}, baseline ${versionOf(snapshot, record.baseline)}, canary ${
      record.canary ? `${versionOf(snapshot, record.canary.digest)} at ${record.canary.exposurePercent} %` : "none"
    }`,
    "",
    ...liveLines(snapshot),
    ...healthLines(snapshot),
    "",
    ...valueLines(snapshot),
    ...(snapshot.gaps.length === 0 ? [] : ["", "not read:", ...snapshot.gaps.map((gap) => `  ${gap}`)]),
  ];
}

function versionOf({ record }: Snapshot, digest: string): string {
  return record.releases[digest]?.version ?? digest;
}

function liveLines(snapshot: Snapshot): string[] {
  if (!snapshot.live) return ["live weights: not read"];
  const versionByGroup = new Map(
    Object.values(snapshot.record.releases).map((release) => [release.targetGroupArn, release.version]),
  );
  const { control } = snapshot.record;
  if (control) versionByGroup.set(control.targetGroupArn, `${versionOf(snapshot, control.digest)} (control)`);
  return [
    "live weights:",
    ...Object.entries(snapshot.live).map(([ruleArn, weights]) => {
      const shown = Object.entries(weights).map(([group, weight]) => `${versionByGroup.get(group) ?? group} ${weight}`);
      return `  ${ruleArn}: ${shown.join(", ") || "none"}`;
    }),
  ];
}

function healthLines(snapshot: Snapshot): string[] {
  const hosts = Object.entries(snapshot.health ?? {}).map(
    ([digest, { healthyCount, totalCount }]) => `${versionOf(snapshot, digest)} ${healthyCount} of ${totalCount}`,
  );
  return [`healthy hosts: ${hosts.join(", ") || "not read"}`];
}

/** One objective's alarm (`error-rate/critical/…`) as both releases have it. */
function valueLines(snapshot: Snapshot): string[] {
  if (!snapshot.values) return ["values: not read"];
  const byKey = new Map<string, { readonly version: string; readonly values: AlarmValues; readonly state: string }[]>();
  const versionByKey = new Map(
    Object.values(snapshot.record.releases).map((release) => [releaseKey(release), release.version]),
  );
  const states = new Map((snapshot.alarms ?? []).map((alarm) => [alarm.alarmName, alarm.state]));
  for (const values of snapshot.values) {
    const parsed = parseAlarmName(values.alarmName);
    const key = parsed?.alarmKey ?? values.alarmName;
    const version = parsed ? (versionByKey.get(parsed.releaseKey) ?? parsed.releaseKey) : "";
    const state = states.get(values.alarmName) ?? "not read";
    byKey.set(key, [...(byKey.get(key) ?? []), { version, values, state }]);
  }
  const at = snapshot.hold.at;
  return [...byKey]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([key, releases]) => {
      const [first] = releases;
      const bound = first ? `, bad ${bounds[first.values.badWhen]} ${first.values.threshold}` : "";
      const width = Math.max(...releases.map(({ version }) => version.length));
      return [
        `${key}${bound}`,
        ...releases.map(
          ({ version, values, state }) =>
            `  ${version.padEnd(width)}  ${state.padEnd(17)}  ${split(values.points, at)}`,
        ),
      ];
    });
}

/** Points up to the hold, a bar, points after it; oldest first. */
function split(points: AlarmValues["points"], at: Instant): string {
  if (points.length === 0) return "no points";
  const words = (part: AlarmValues["points"]) =>
    part.map(({ value }) => String(Number(value.toPrecision(4)))).join(" ") || "–";
  return `before ${words(points.filter((point) => point.at <= at))} | after ${words(points.filter((point) => point.at > at))}`;
}

function clock(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
