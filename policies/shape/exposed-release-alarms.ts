/**
 * A release that shares the traffic is watched: its errors and its latency each have an alarm on its own target group, and somebody is
 * told when it rings. An alarm on the load balancer alone cannot say which release is bad.
 */
import type { PolicyResource, StackValidationPolicy } from "@pulumi/policy";
import { known, settingsOf, unknown } from "../known.ts";
import { type Forward, forwardsOf, groupCount, isUntold, releasesBehind, untoldFinding } from "../props-alb.ts";
import {
  type AlarmSorts,
  actingAlarms,
  type Coverage,
  coverageOf,
  isTagged,
  unboundReleases,
} from "../props-coverage.ts";
import { message, referenceUrl } from "../props-message.ts";

const defaults: AlarmSorts = {
  // The last ones are what `client/` and other EMF emitters call them.
  errorMetrics: [
    "HTTPCode_Target_5XX_Count",
    "TargetConnectionErrorCount",
    "LambdaUserError",
    "LambdaInternalError",
    "Errors",
  ],
  latencyMetrics: ["TargetResponseTime", "Latency"],
  warningPattern: "(^|[^a-z])warn(ing)?s?([^a-z]|$)",
  // Where a slow release is only worth a warning (batch work), it is still watched.
  criticalLatency: false,
};

function lacking({ errors, latency }: Coverage): string[] {
  return [...(errors ? [] : ["critical error alarm"]), ...(latency ? [] : ["latency alarm"])];
}

const names = { type: "array", items: { type: "string" } } as const;

export const exposedReleaseAlarms: StackValidationPolicy = {
  name: "exposed-release-alarms",
  description:
    "Every release that shares traffic by weight has a critical error alarm and a latency alarm with actions.",
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["alb", "cloudwatch", "alarms", "weights"],
  remediationSteps:
    "Add alarms on HTTPCode_Target_5XX_Count and on TargetResponseTime with the dimensions TargetGroup and LoadBalancer of that group, and give them alarmActions, or a composite alarm over them that has some. Only an alarm that rings above its threshold counts, and one that a composite asks for ALARM and not under a NOT. Whether a threshold makes sense is not judged here: one that nothing ever reaches passes.",
  url: referenceUrl("exposed-release-alarms"),
  configSchema: {
    properties: {
      errorMetrics: { ...names, default: [...defaults.errorMetrics], description: "Metric names that count errors." },
      latencyMetrics: {
        ...names,
        default: [...defaults.latencyMetrics],
        description: "Metric names that measure latency.",
      },
      warningPattern: {
        type: "string",
        minLength: 1,
        default: defaults.warningPattern,
        description: "Regular expression, upper or lower case: alarms of such a name only warn and are not critical.",
      },
      criticalLatency: {
        type: "boolean",
        default: defaults.criticalLatency,
        description: "Whether the latency alarm has to be a critical one, too.",
      },
    },
  },
  validateStack: (args, report) => {
    const alarms = actingAlarms(args.resources, settingsOf(args, defaults));
    const told = new Set<string>();
    for (const rule of args.resources) {
      for (const forward of forwardsOf(rule.type, known(rule.props))) {
        if (groupCount(forward) < 2) continue;
        if (isUntold(rule, forward)) report(message(untoldFinding(rule, forward)), rule.urn);
        for (const { name, wrong, lacks, urn } of unwatchedBehind(rule, forward, alarms, args.resources)) {
          // Several rules may lead to one release; it lacks the same alarms behind each.
          if (told.has(name)) continue;
          told.add(name);
          report(
            message({
              name,
              wrong,
              got: `no ${lacks.join(" and no ")} that acts`,
              expected: "a critical error alarm and a latency alarm on its target group, with actions",
              wayOut: "Add them with the dimension TargetGroup of this group, and give them alarmActions",
            }),
            urn,
          );
        }
      }
    }
  },
};

/** What shares traffic unwatched, and the resource to report it on. */
interface Unwatched {
  readonly name: string;
  readonly wrong: string;
  readonly lacks: readonly string[];
  readonly urn: string;
}

function unwatchedBehind(
  rule: PolicyResource,
  forward: Forward,
  alarms: ReturnType<typeof actingAlarms>,
  resources: readonly PolicyResource[],
): Unwatched[] {
  const exposed = releasesBehind(rule, forward, resources, (weight) => weight === unknown || weight !== 0);
  const bare = exposed.releases
    .map((release) => ({ release, lacks: lacking(coverageOf(release, alarms)) }))
    .filter(({ lacks }) => lacks.length > 0);
  const adopted = bare.filter(({ release }) => !isTagged(release));
  const adoptedAreWatched = adopted.length <= unboundReleases(rule, alarms, resources);
  return [
    ...(exposed.unplaced > 0
      ? [
          {
            name: rule.name,
            wrong: "forwards to a target group that cannot be told before up",
            lacks: lacking({ errors: false, latency: false }),
            urn: rule.urn,
          },
        ]
      : []),
    ...bare
      .filter(({ release }) => isTagged(release) || !adoptedAreWatched)
      .map(({ release, lacks }) => ({
        name: release.name,
        wrong: `${forward.groups === unknown ? "may share" : "shares"} traffic by ${rule.name} unwatched`,
        lacks,
        // A group that is not the program's is reported on the rule that names it.
        urn: release.resource?.urn ?? rule.urn,
      })),
  ];
}
