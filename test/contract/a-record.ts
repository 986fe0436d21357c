/** A valid record, one field overridden at a time; every optional field is set, so that equality proves them all. */
import { completeWave } from "../../core/plans.ts";
import { type RolloutRecord, recordSchemaVersion, type WatchedAlarm } from "../../core/record.ts";

const stable = "sha256:aaaa";
const next = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/next/0123456789abcdef#2.4.0";
const at = Date.UTC(2026, 0, 5, 10, 0, 0);

/** A critical alarm on the error rate. */
export function aWatchedAlarm(alarmName: string, overrides: Partial<WatchedAlarm> = {}): WatchedAlarm {
  return {
    alarmName,
    digest: "sha256:a",
    objective: "error-rate",
    indicator: "error-rate",
    severity: "critical",
    response: "disable",
    mode: "act",
    disableAnyway: false,
    settleSeconds: 60,
    ...overrides,
  };
}

/** A full record of `service` at revision 1. */
export function aFullRecord(overrides: Partial<RolloutRecord> = {}): RolloutRecord {
  const signed = { by: "an operator", reason: "täglich, 100 % sicher\n", at };
  const release = { targetGroupArn: "arn:group", targetGroupArnSuffix: "targetgroup/group/1" };
  return {
    schemaVersion: recordSchemaVersion,
    revision: 1,
    realityGeneration: 7,
    environment: "production",
    service: "checkout",
    mode: "act",
    source: "alb",
    plan: {
      name: "two waves",
      waves: [
        completeWave({
          exposurePercent: 10,
          minimumSoakMinutes: 30,
          criteria: [{ text: "error rate under 1 %", kind: "advance" }],
        }),
        completeWave({ exposurePercent: 100, minimumSoakMinutes: null }),
      ],
      watchAfterMinutes: 60,
    },
    rules: [
      { arn: "arn:rule/main", role: "main" },
      { arn: "arn:rule/anchor", role: "anchor" },
    ],
    alarms: [
      aWatchedAlarm("tidegate/production/checkout/2-4-0-01234567/error-rate/critical/60s", {
        digest: next,
        settleSeconds: 420,
      }),
    ],
    loadBalancerArnSuffix: "app/front/0123456789abcdef",
    stickinessSeconds: 3_600,
    blindMinutes: 15,
    dependencyOwner: "payments",
    rollbackWindowMinutes: 1_440,
    releases: {
      [stable]: {
        ...release,
        digest: stable,
        version: "2.3.1",
        image: "shop@sha256:aaaa",
        adopted: false,
        knownGood: true,
      },
      [next]: { ...release, digest: next, version: "2.4.0", adopted: true, knownGood: false },
    },
    baseline: stable,
    canary: {
      digest: next,
      attempt: 2,
      exposurePercent: 12.5,
      waveOpenedAt: at,
      exposedSince: at,
      openedFromPercent: 10,
      servedPercents: [],
      weightsLeftAt: at + 1,
    },
    previous: { digest: "sha256:0000", until: at + 2 },
    leaving: { "sha256:9999": at + 3 },
    ceilings: { [stable]: 100, [next]: 25 },
    attempts: { [next]: 2 },
    lastIntent: { digest: next, attempt: 2, wave: 25 },
    lease: {
      id: "lease-1",
      kind: "opening",
      digest: next,
      attempt: 2,
      fromPercent: 10,
      toPercent: 25,
      takenBy: "stack production",
      expiresAt: at + 600_000,
    },
    breaches: {
      "error-rate/critical": {
        id: "breach-1",
        digest: next,
        objective: "error-rate",
        severity: "critical",
        response: "halve",
        startedAt: at,
        exposureAtStartPercent: 25,
        targetPercent: 12.5,
        lastStepAt: at,
        settleSeconds: 420,
        disableAnyway: false,
        observed: false,
      },
    },
    holds: {
      "hold-1": {
        id: "hold-1",
        scope: "digest",
        digest: next,
        at,
        cause: "breach",
        detail: "error rate 4.2 %, above 2 %",
        response: "halve",
        targetPercent: 12.5,
        attempt: 2,
        acknowledged: signed,
      },
    },
    paused: signed,
    blindSince: at,
    outbox: [
      { id: "page-1", dedupKey: "tidegate/…", severity: "critical", summary: "halved", detail: "error rate", at },
      {
        id: "page-2",
        dedupKey: "tidegate/…",
        severity: "warning",
        summary: "resolved",
        detail: "",
        at,
        action: "resolve",
        runbook: "high-error-rate",
        holdId: "hold-1",
        owner: "payments",
        deliveredTo: ["sns"],
      },
    ],
    openIncidents: ["tidegate/…"],
    snapshotsDue: ["hold-1"],
    retiredAt: at,
    ...overrides,
  };
}
