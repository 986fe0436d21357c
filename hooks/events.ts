/**
 * What may wake the hook, told apart and checked. Every kind has a name, so that what cannot be handled is refused by that name and
 * never dropped.
 */
import { z } from "zod";
import type { ServiceDescription } from "../core/declaration.ts";
import { indicators, metricSources, responses, severities } from "../core/objectives.ts";

/** An event that this version of the hook recognises and has no code for. */
export class NotYetHandledError extends Error {
  override readonly name = "NotYetHandledError";
}

/** An event that no version knows, or one that is not what it claims to be. */
export class UnknownEventError extends Error {
  override readonly name = "UnknownEventError";
}

const text = z.string().min(1);
const percent = z.number().min(0).max(100);
const count = z.number().int().nonnegative();
const mode = z.enum(["act", "observe"]);
const indicator = z.enum(Object.keys(indicators) as [keyof typeof indicators, ...(keyof typeof indicators)[]]);

const wave = z.strictObject({
  exposurePercent: percent,
  minimumSoakMinutes: z.number().nonnegative().nullable(),
  lookEverySeconds: z.number().positive(),
  minimumRequests: count,
  lowering: z.enum(["automatic", "human"]),
  criteria: z.array(z.strictObject({ text: z.string(), kind: z.enum(["advance", "rollback"]) })),
});

/** Strict: a field that this version does not know means that a newer program calls an older hook. */
const descriptionSchema = z.strictObject({
  kind: z.literal("tidegate:opening"),
  schemaVersion: z.number().int().positive(),
  environment: text,
  service: text,
  mode,
  source: z.enum(metricSources),
  plan: z.strictObject({ name: text, waves: z.array(wave), watchAfterMinutes: z.number().nonnegative() }),
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
      settleSeconds: z.number().nonnegative(),
    }),
  ),
  loadBalancerArnSuffix: text,
  stickinessSeconds: z.number().positive().optional(),
  blindMinutes: z.number().positive(),
  rollbackWindowMinutes: z.number().nonnegative(),
  releases: z.array(
    z.strictObject({
      digest: text,
      version: text,
      image: text.optional(),
      targetGroupArn: text,
      targetGroupArnSuffix: text,
      adopted: z.boolean(),
    }),
  ),
  baseline: text,
  canary: z.strictObject({ digest: text, attempt: count }).optional(),
  exposurePercent: percent,
  intent: z.strictObject({ digest: text, attempt: count, wave: percent }).optional(),
  realityGeneration: count,
  takenBy: text,
  retire: z.boolean(),
  overrideReason: text.optional(),
  replaceBaselineReason: text.optional(),
});

/** What Pulumi's invocation resource adds over its life. */
const lifecycleSchema = z.looseObject({ action: z.enum(["create", "update", "delete"]) });

/** An event, told apart. */
export type HookEvent =
  | { readonly kind: "opening"; readonly description: ServiceDescription }
  /** The service's opening resource goes away. */
  | { readonly kind: "opening-deleted"; readonly service: string }
  | { readonly kind: "alarm-event"; readonly alarmName: string }
  | { readonly kind: "alarm-action"; readonly alarmName: string }
  | { readonly kind: "schedule" }
  | { readonly kind: "sns" };

const eventBridgeAlarm = z.looseObject({
  source: z.literal("aws.cloudwatch"),
  "detail-type": z.literal("CloudWatch Alarm State Change"),
  detail: z.looseObject({ alarmName: text }),
});
const directAlarm = z.looseObject({
  source: z.literal("aws.cloudwatch"),
  alarmData: z.looseObject({ alarmName: text }),
});
const scheduled = z.looseObject({ source: z.literal("aws.events"), "detail-type": z.literal("Scheduled Event") });
const sns = z.looseObject({
  Records: z.tuple([z.looseObject({ EventSource: z.literal("aws:sns") })]).rest(z.unknown()),
});

/**
 * Tells an event apart.
 * @throws UnknownEventError on anything that is none of the kinds, and on an opening that is not a whole description
 */
export function readEvent(event: unknown): HookEvent {
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    throw new UnknownEventError(`event: no object, got ${typeof event}; expected an event with a known shape`);
  }
  if ("kind" in event && event.kind === "tidegate:opening") return readOpening({ ...event });
  const alarm = eventBridgeAlarm.safeParse(event);
  if (alarm.success) return { kind: "alarm-event", alarmName: alarm.data.detail.alarmName };
  const action = directAlarm.safeParse(event);
  if (action.success) return { kind: "alarm-action", alarmName: action.data.alarmData.alarmName };
  if (scheduled.safeParse(event).success) return { kind: "schedule" };
  if (sns.safeParse(event).success) return { kind: "sns" };
  throw new UnknownEventError(
    `event: of no known kind, got the keys ${Object.keys(event).sort().join(", ") || "(none)"}; expected a Tidegate opening, ` +
      "a CloudWatch alarm, a scheduled event or an SNS message",
  );
}

/** `tf` is the life-cycle note of the invocation resource: what happens, and the input before. Not part of the description. */
function readOpening(event: Record<string, unknown>): HookEvent {
  const { tf, ...written } = event;
  const lifecycle = lifecycleSchema.optional().safeParse(tf);
  if (!lifecycle.success) {
    throw new UnknownEventError(
      `opening: life-cycle note not understood, got ${JSON.stringify(tf)}; expected tf.action create, update or delete`,
    );
  }
  // Only the name is read of what goes away: an old description must not keep a service from being removed.
  if (lifecycle.data?.action === "delete") return { kind: "opening-deleted", service: String(written.service) };
  const parsed = descriptionSchema.safeParse(written);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join(".") || "opening"}: ${issue.message}`);
    throw new UnknownEventError(
      [
        `opening of ${String(written.service)}: ${problems.length} problem(s), nothing was committed. Program and hook must be of one version:`,
        ...problems,
      ].join("\n"),
    );
  }
  return { kind: "opening", description: parsed.data };
}
