/** One broken program for each rollout policy. */
import { objectivePresets } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
import type { RolloutFacts } from "../../core/rollout-facts.ts";
import type { Example, ExampleResource } from "./example.ts";

/** A service that breaks nothing; the examples change what is theirs. */
export const soundFacts: RolloutFacts = {
  service: "checkout",
  environment: "production",
  mode: "act",
  source: "emf",
  baseline: { version: "2.3.1", releaseKey: "2-3-1-0a1b2c3d", adopted: false },
  canary: { version: "2.4.0", releaseKey: "2-4-0-4e5f6071", adopted: false, attempt: 1 },
  exposurePercent: 25,
  openedFromPercent: 10,
  plan: planPresets.steady,
  objectives: objectivePresets.web,
  blindMinutes: 15,
  rollbackWindowMinutes: 1_440,
  targetGroup: { port: 8080, healthCheckPath: "/healthz" },
  otherCanaries: [],
};
const outputs = { step: "none", fromPercent: 25, exposurePercent: 25, mode: "act" };

function service(change: Partial<RolloutFacts>, declared: Readonly<Record<string, unknown>> = {}): ExampleResource {
  return {
    type: "tidegate:rollout:ProgressiveService",
    name: "checkout",
    props: { ...soundFacts, ...change },
    outputs: { ...outputs, ...declared },
  };
}

const ours = { "tidegate:environment": "production", "tidegate:role": "hook" };

export const rolloutExamples: readonly Example[] = [
  {
    policy: "rollout-wave-is-not-skipped",
    about: "goes from 10 % to 50 % under a plan with a wave of 25 %",
    resources: [service({ exposurePercent: 50 }, { fromPercent: 10, exposurePercent: 50, step: "opening" })],
  },
  {
    policy: "rollout-wave-is-approved",
    about: "opens a wave that nobody of `sre` has signed for",
    resources: [
      service(
        {
          plan: {
            ...planPresets.steady,
            name: "steady, changed",
            waves: planPresets.steady.waves.map((wave) =>
              wave.exposurePercent === 25 ? { ...wave, approvals: ["sre"] } : wave,
            ),
          },
          approvals: [
            {
              wavePercent: 25,
              role: "sre",
              by: "Ann",
              at: Date.UTC(2026, 0, 5, 10),
              version: "2.3.9",
              attempt: 1,
            },
          ],
        },
        { step: "opening", fromPercent: 10 },
      ),
    ],
  },
  {
    policy: "rollout-soak-is-not-shortened",
    about: "changes `steady` to half an hour at 10 %",
    resources: [
      service({
        plan: {
          ...planPresets.steady,
          name: "steady, changed",
          waves: planPresets.steady.waves.map((wave) =>
            wave.exposurePercent === 10 ? { ...wave, minimumSoakMinutes: 30 } : wave,
          ),
        },
      }),
    ],
  },
  {
    policy: "rollout-thresholds-are-not-loosened",
    about: "only tells somebody at one error in four",
    resources: [
      service({
        objectives: objectivePresets.web.map((objective) =>
          objective.name === "error-rate" ? { ...objective, critical: { value: 25, response: "notify" } } : objective,
        ),
      }),
    ],
  },
  {
    policy: "rollout-change-freeze-is-kept",
    about: "opens a wave in a change freeze",
    resources: [service({}, { step: "opening", fromPercent: 10 })],
    config: {
      windows: [{ name: "example", timeZone: "Europe/Berlin", from: "2020-01-01T00:00", to: "2099-01-01T00:00" }],
    },
  },
  {
    policy: "rollout-release-climbs-the-ladder",
    about: "opens its first wave for a release that never ran in staging",
    resources: [service({}, { step: "opening", fromPercent: 0, ladder: { below: "staging", isClimbed: false } })],
  },
  {
    policy: "rollout-dependency-group-has-one-canary",
    about: "opens a wave while another service of its group has a canary",
    resources: [service({ dependencyGroup: "payments", otherCanaries: ["invoices"] })],
  },
  {
    policy: "rollout-target-group-is-not-edited",
    about: "moves the health check while the canary has 25 %",
    resources: [service({ recorded: { targetGroup: { port: 8080, healthCheckPath: "/" } } })],
  },
  {
    policy: "rollout-override-names-its-reason",
    about: "overrides the gate and does not say why",
    resources: [service({ overrideReason: "asap" })],
  },
  {
    policy: "rollout-arming-comes-before-rising",
    about: "lets the hook act for the first time and opens a wave at once",
    resources: [service({ armsAndRaises: true })],
  },
  {
    policy: "rollout-hook-is-not-silenced",
    about: "switches the hook's clock off",
    resources: [
      {
        type: "aws:cloudwatch/eventRule:EventRule",
        name: "production-clock",
        props: {
          name: "tidegate-production-hook-clock",
          scheduleExpression: "rate(1 minute)",
          state: "DISABLED",
          tags: ours,
        },
      },
    ],
  },
  {
    policy: "rollout-hook-is-wired",
    about: "declares a service and no opening for it",
    resources: [service({})],
  },
  {
    policy: "rollout-opening-calls-the-hook",
    about: "commits openings by code that nobody tested",
    resources: [
      service({}),
      { type: "tidegate:rollout:WaveOpening", name: "checkout-commit", parent: "checkout" },
      {
        type: "aws:lambda/invocation:Invocation",
        name: "checkout-opening",
        parent: "checkout-commit",
        props: {
          functionName: "tidegate-production-hook",
          qualifier: "$LATEST",
          lifecycleScope: "CRUD",
          input: "{}",
        },
      },
    ],
  },
  {
    policy: "rollout-somebody-is-told",
    about: "acts and has nobody behind its topics",
    resources: [
      { type: "tidegate:foundation:AlertTopics", name: "production" },
      {
        type: "aws:sns/topic:Topic",
        name: "production-critical",
        parent: "production",
        props: { name: "tidegate-production-critical", kmsMasterKeyId: "alias/tidegate-production", tags: ours },
      },
    ],
  },
  {
    policy: "rollout-secrets-are-not-plain",
    about: "gives a function PagerDuty's routing key",
    resources: [
      {
        type: "aws:lambda/function:Function",
        name: "notifier",
        props: {
          role: "arn:aws:iam::123456789012:role/notifier",
          environment: { variables: { PAGERDUTY_ROUTING_KEY: "0123456789abcdef".repeat(2) } },
        },
      },
    ],
  },
];
