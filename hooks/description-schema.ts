/** What `WaveOpening` sends, as a schema. Strict: a field that this version does not know means that a newer program calls an older hook. */
import * as z from "zod/mini";
import { metricSources, responses, severities } from "../core/objectives.ts";
import {
  capacity,
  controlGroup,
  count,
  criterion,
  figure,
  finishedFigures,
  indicator,
  percent,
  promises,
  recordedSplit,
  text,
  workload,
} from "./zod.ts";

const mode = z.enum(["act", "observe"]);

const wave = z.strictObject({
  exposurePercent: percent,
  minimumSoakMinutes: z.nullable(z.number().check(z.nonnegative())),
  lookEverySeconds: z.number().check(z.positive()),
  minimumRequests: count,
  lowering: z.enum(["automatic", "human"]),
  approvals: z.optional(z.array(text)),
  advance: z.optional(z.literal("automatic")),
  criteria: z.array(criterion),
});

/** A whole service description. */
export const descriptionSchema = z.strictObject({
  kind: z.literal("tidegate:opening"),
  schemaVersion: z.int().check(z.positive()),
  environment: text,
  service: text,
  mode,
  source: z.enum(metricSources),
  plan: z.strictObject({
    name: text,
    waves: z.array(wave),
    watchAfterMinutes: z.number().check(z.nonnegative()),
    coolOffMinutes: z.optional(z.number().check(z.nonnegative())),
  }),
  rules: z.array(z.strictObject({ arn: text, role: z.enum(["main", "tester", "anchor"]) })),
  alarms: z.array(
    z.strictObject({
      alarmName: text,
      digest: text,
      objective: text,
      indicator,
      severity: z.enum(severities),
      response: z.enum(responses),
      mode,
      disableAnyway: z.boolean(),
      settleSeconds: z.number().check(z.nonnegative()),
      atPercents: z.optional(z.array(percent)),
      watchedIn: z.optional(z.enum(["prometheus", "datadog"])),
      query: z.optional(text),
    }),
  ),
  loadBalancerArnSuffix: text,
  stickinessSeconds: z.optional(z.number().check(z.positive())),
  split: z.optional(recordedSplit),
  blindMinutes: z.number().check(z.positive()),
  dependencyOwner: z.optional(text),
  dependencyGroup: z.optional(text),
  peers: z.optional(z.array(text)),
  targetGroup: z.optional(z.record(text, z.union([z.string(), z.number()]))),
  workload: z.optional(workload),
  capacity: z.optional(capacity),
  rollbackWindowMinutes: z.number().check(z.nonnegative()),
  releases: z.array(
    z.strictObject({
      digest: text,
      version: text,
      image: z.optional(text),
      targetGroupArn: text,
      targetGroupArnSuffix: text,
      adopted: z.boolean(),
    }),
  ),
  baseline: text,
  canary: z.optional(z.strictObject({ digest: text, attempt: count })),
  control: z.optional(controlGroup),
  exposurePercent: percent,
  figures: z.optional(z.array(figure)),
  finish: z.optional(z.strictObject({ figures: finishedFigures, requests: z.optional(count) })),
  intent: z.optional(z.strictObject({ digest: text, attempt: count, wave: percent })),
  realityGeneration: count,
  takenBy: text,
  takenOverFrom: z.optional(text),
  retire: z.boolean(),
  overrideReason: z.optional(text),
  replaceBaselineReason: z.optional(text),
  promises: z.optional(promises),
});
