/** What is real, as far as it can be read: the record, and what the listener says. */

import { controlKey } from "../../core/control.ts";
import type { Intent, LiveTraffic, Reality } from "../../core/declaration.ts";
import { messageOf } from "../../core/error-message.ts";
import { controlGroupLogicalName, loadBalancerName, releaseKey, targetGroupLogicalName } from "../../core/naming.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { Release } from "../../core/releases.ts";
import { type ControlTarget, sharesOf } from "../../core/traffic-shares.ts";
import { liveOf } from "../../hooks/observe.ts";
import type { Ports } from "../../hooks/ports.ts";
import type { EnvironmentConfig, RouteConfig, ServiceConfig } from "../config.ts";
import type { BelowReader } from "../ladder.ts";

/** The ports that deciding reads. */
export interface DecidePorts
  extends Pick<Ports, "records" | "traffic" | "alarms" | "metrics" | "elsewhere" | "peers" | "clock"> {
  /** The environment below. @default nobody reads it, and where the config names one, nothing opens its first wave */
  readonly below?: BelowReader;
}

/** What record and listener say of one service. */
export async function readReality(
  config: EnvironmentConfig,
  service: ServiceConfig,
  intent: Intent,
  ports: DecidePorts,
): Promise<Reality> {
  let record: RolloutRecord | undefined;
  try {
    record = await ports.records.read(service.name);
  } catch (error) {
    const live = await liveWithoutRecord(config, service, intent, ports);
    return { kind: "unknown", reason: `the record cannot be read (${messageOf(error)})`, live: live.traffic };
  }
  if (!record) {
    const live = await liveWithoutRecord(config, service, intent, ports);
    if (live.kind === "none") return { kind: "first" };
    const reason = "there is no record, but a rule of ours is live";
    return { kind: "unknown", reason, live: live.traffic, isLost: true };
  }
  if (record.environment !== config.environment) {
    return { kind: "unknown", reason: `the record is of environment ${record.environment}`, live: undefined };
  }
  const [live, hosts] = await Promise.all([liveTraffic(record, ports), service.workload && readHosts(record, ports)]);
  return { kind: "record", record, live, ...(hosts ? { hosts } : {}) };
}

/** Healthy hosts of the releases that have traffic, as far as their processes are the program's and can be read. */
async function readHosts(
  { baseline, canary, releases }: RolloutRecord,
  ports: DecidePorts,
): Promise<Readonly<Record<string, number>>> {
  const digests = [...new Set([baseline, canary?.digest])];
  const read = await Promise.all(
    digests.map(async (digest): Promise<[string, number][]> => {
      const release = digest === undefined ? undefined : releases[digest];
      if (!release || release.adopted) return [];
      try {
        return [[release.digest, (await ports.traffic.targetHealth(release.targetGroupArn)).healthyCount]];
      } catch {
        return [];
      }
    }),
  );
  return Object.fromEntries(read.flat());
}

async function liveTraffic(record: RolloutRecord, ports: DecidePorts): Promise<LiveTraffic | undefined> {
  try {
    return liveOf(record, await ports.traffic.readRules(record.rules.map((rule) => rule.arn)));
  } catch {
    return undefined;
  }
}

/** What our main rules say where no record tells which they are: found by their tags, on every listener of the service. */
async function liveWithoutRecord(
  config: EnvironmentConfig,
  service: ServiceConfig,
  intent: Intent,
  ports: DecidePorts,
): Promise<{ kind: "none" | "some" | "unreadable"; traffic: LiveTraffic | undefined }> {
  const arnOf = (route: RouteConfig) => route.listenerArn ?? config.network.listenerArn;
  const listeners = [...new Set(service.routes.map(arnOf))].map((arn) =>
    arn === undefined ? { loadBalancerName: loadBalancerName(config.environment) } : { arn },
  );
  try {
    const query = { environment: config.environment, service: intent.service };
    const found = await Promise.all(listeners.map((listener) => ports.traffic.findMainRules({ listener, ...query })));
    const arns = [...new Set(found.flat())].sort();
    if (arns.length === 0) return { kind: "none", traffic: undefined };
    const rules = Object.values(await ports.traffic.readRules(arns));
    const named = [intent.baseline, ...(intent.canary ? [intent.canary] : [])];
    const forwarded = rules.flatMap((rule) => Object.keys(rule.weights));
    const groups = groupsByName(intent.service, named, forwarded);
    const control = controlByName(intent, forwarded);
    return {
      kind: "some",
      traffic: leastOf(
        rules.map((rule) => sharesOf(rule.weights, groups, control)),
        intent.baseline.digest,
      ),
    };
  } catch {
    return { kind: "unreadable", traffic: undefined };
  }
}

/** Rules that differ, after an opening that died halfway, count as the one with the most on the baseline: it is no raise for any. */
function leastOf(lives: readonly LiveTraffic[], baseline: string): LiveTraffic | undefined {
  const [least] = lives.toSorted((left, right) => (right.shares[baseline] ?? 0) - (left.shares[baseline] ?? 0));
  return (
    least && {
      ...least,
      unknownTargetGroupArns: [...new Set(lives.flatMap((live) => live.unknownTargetGroupArns))],
    }
  );
}

/** Groups of the releases that config names: adopted ones by ARN, our own by the name that the release gives them. */
function groupsByName(service: string, releases: readonly Release[], arns: readonly string[]): Record<string, string> {
  const groups: Record<string, string> = {};
  for (const release of releases) {
    const prefix = `${targetGroupLogicalName(service, releaseKey(release))}-`;
    const arn = release.targetGroupArn ?? arns.find((candidate) => candidate.split("/")[1]?.startsWith(prefix));
    if (arn !== undefined) groups[release.digest] = arn;
  }
  return groups;
}

/** The group that config asks for as control, likewise; an own one has a name of the baseline's. */
function controlByName({ service, baseline, control }: Intent, arns: readonly string[]): ControlTarget | undefined {
  if (!control) return undefined;
  const prefix = `${controlGroupLogicalName(service, controlKey(releaseKey(baseline)))}-`;
  const arn = control.targetGroupArn ?? arns.find((candidate) => candidate.split("/")[1]?.startsWith(prefix));
  return arn === undefined ? undefined : { targetGroupArn: arn, digest: baseline.digest };
}
