/**
 * What may wake the hook, told apart and checked. Every kind has a name, so that what cannot be handled is refused by that name and
 * never dropped. Refusals are short however long the event was: they go into a log and a dead letter.
 */
import * as z from "zod/mini";
import type { ServiceDescription } from "../core/declaration.ts";
import { descriptionSchema } from "./description-schema.ts";
import { text } from "./zod.ts";

/** Longest refusal. Unit: characters. It goes into a log, a dead letter and a terminal, whatever was in the event. */
const refusalLength = 900;

/** An event that no version knows, or one that is not what it claims to be. */
export class UnknownEventError extends Error {
  override readonly name = "UnknownEventError";

  constructor(message: string) {
    super(message.length <= refusalLength ? message : `${message.slice(0, refusalLength)}… (cut)`);
  }
}

/** Longest text of an event that a refusal quotes. Unit: characters. */
const quotedLength = 300;
/**
 * Most values in one event, and how deep they may lie. A record is an item of at most 400 KB, an alarm in it some 300 bytes and ten values:
 * nothing of ours comes near, and checking millions of values one by one would take longer than Lambda gives.
 */
const mostValues = 20_000;
const mostLevels = 32;
/** Longest SNS message. Unit: characters. Source: SNS quotas, 256 KB a message, read 2026-11. */
const longestMessage = 256 * 1_024;

/** Most problems of one event that a refusal lists. */
const listedProblems = 20;
/** Most services that a text may name; a monitor names one. */
const mostMarked = 100;

/** What Pulumi's invocation resource adds over its life. */
const lifecycleSchema = z.looseObject({ action: z.enum(["create", "update", "delete"]) });

/** What a person asks for through the hook. */
export interface CommandEvent {
  readonly kind: "command";
  readonly command: "kill" | "pause" | "resume" | "acknowledge";
  readonly service: string;
  readonly by: string;
  readonly reason: string;
  /** Only for `acknowledge`. @default every standing hold */
  readonly holdId?: string;
}

/** An event, told apart. */
export type HookEvent =
  | { readonly kind: "opening"; readonly description: ServiceDescription }
  /** The service's opening resource goes away. */
  | { readonly kind: "opening-deleted"; readonly service: string }
  /** An alarm of ours spoke, whichever way it came; it may be late, doubled or out of order. */
  | { readonly kind: "alarm"; readonly alarmName: string }
  /** Somebody else's alert names services; they are looked at, nothing more. */
  | { readonly kind: "look"; readonly services: readonly string[] }
  | { readonly kind: "schedule" }
  | { readonly kind: "self-test" }
  | { readonly kind: "drill" }
  | CommandEvent;

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
const command = z.strictObject({
  kind: z.literal("tidegate:command"),
  command: z.enum(["kill", "pause", "resume", "acknowledge"]),
  service: text,
  by: text,
  reason: text,
  holdId: z.optional(text),
});
/** SNS hands Lambda one record an invocation; more than one is no SNS that we know. */
const sns = z.looseObject({
  Records: z.tuple([z.looseObject({ EventSource: z.literal("aws:sns"), Sns: z.looseObject({ Message: z.string() }) })]),
});
/** CloudWatch's own message, and the one field that any other sender has to give: Grafana as a label, Datadog in a line of its text. */
const alarmMessage = z.looseObject({ AlarmName: text });
const namedService = z.looseObject({ tidegate_service: text });
const labelled = z.looseObject({ labels: namedService });
const grafanaMessage = z.looseObject({ alerts: z.array(z.unknown()).check(z.minLength(1)) });

/**
 * Tells an event apart.
 * @throws UnknownEventError on anything that is none of the kinds, and on one that is not whole
 */
export function readEvent(event: unknown): HookEvent {
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    throw new UnknownEventError(`event: no object, got ${typeof event}; expected an event with a known shape`);
  }
  const excess = excessOf(event);
  if (excess !== undefined) throw new UnknownEventError(`event: ${excess}`);
  if ("kind" in event) {
    switch (event.kind) {
      case "tidegate:opening":
        return readOpening({ ...event });
      case "tidegate:command":
        return readCommand(event);
      case "tidegate:self-test":
        return { kind: "self-test" };
      case "tidegate:drill":
        return { kind: "drill" };
    }
  }
  const alarm = eventBridgeAlarm.safeParse(event);
  if (alarm.success) return { kind: "alarm", alarmName: alarm.data.detail.alarmName };
  const action = directAlarm.safeParse(event);
  if (action.success) return { kind: "alarm", alarmName: action.data.alarmData.alarmName };
  if (scheduled.safeParse(event).success) return { kind: "schedule" };
  const message = sns.safeParse(event);
  if (message.success) return readMessage(message.data.Records[0].Sns.Message);
  throw new UnknownEventError(
    `event: of no known kind, got the keys ${quoted(Object.keys(event).sort().join(", ")) || "(none)"}; expected a Tidegate opening, ` +
      "command, drill or self-test, a CloudWatch alarm, a scheduled event or an SNS message",
  );
}

/** `tf` is the life-cycle note of the invocation resource: what happens, and the input before. Not part of the description. */
function readOpening(event: Record<string, unknown>): HookEvent {
  const { tf, ...written } = event;
  const lifecycle = z.optional(lifecycleSchema).safeParse(tf);
  if (!lifecycle.success) {
    throw new UnknownEventError(
      `opening: life-cycle note not understood, got ${typeof tf}; expected tf.action create, update or delete`,
    );
  }
  const name = typeof written.service === "string" ? quoted(written.service) : "a service without a name";
  // Only the name is read of what goes away: an old description must not keep a service from being removed.
  if (lifecycle.data?.action === "delete") return { kind: "opening-deleted", service: name };
  const parsed = descriptionSchema.safeParse(written);
  if (!parsed.success) {
    throw new UnknownEventError(
      [
        `opening of ${name}: ${parsed.error.issues.length} problem(s), nothing was committed. Program and hook must be of one version:`,
        ...problemLines(parsed.error, "opening"),
      ].join("\n"),
    );
  }
  return { kind: "opening", description: parsed.data };
}

function readCommand(event: object): HookEvent {
  const parsed = command.safeParse(event);
  if (!parsed.success) {
    throw new UnknownEventError(
      ["command: not whole, nothing was done:", ...problemLines(parsed.error, "command")].join("\n"),
    );
  }
  const { kind: _kind, holdId, ...rest } = parsed.data;
  return { kind: "command", ...rest, ...(holdId === undefined ? {} : { holdId }) };
}

/** A message from outside decides nothing; it says which service to look at. */
function readMessage(message: string): HookEvent {
  if (message.length > longestMessage) {
    throw new UnknownEventError(
      `SNS message: too long, got ${message.length} characters; expected at most ${longestMessage}, which is all that SNS takes`,
    );
  }
  const value = jsonOf(message);
  const excess = excessOf(value);
  if (excess !== undefined) throw new UnknownEventError(`SNS message: ${excess}`);
  const alarm = alarmMessage.safeParse(value);
  if (alarm.success) return { kind: "alarm", alarmName: alarm.data.AlarmName };
  const named = namedService.safeParse(value);
  if (named.success) return { kind: "look", services: [named.data.tidegate_service] };
  const grafana = grafanaMessage.safeParse(value);
  if (grafana.success) {
    const services = grafana.data.alerts.flatMap(
      (alert) => labelled.safeParse(alert).data?.labels.tidegate_service ?? [],
    );
    if (services.length > 0) return { kind: "look", services: [...new Set(services)].sort() };
  }
  const marked = servicesIn(message);
  if (marked.length > 0 && marked.length <= mostMarked) return { kind: "look", services: marked };
  throw new UnknownEventError(
    `SNS message: names no service, got ${message.length} characters of something else; expected CloudWatch's AlarmName, a field tidegate_service, or alerts with that label`,
  );
}

/**
 * Services that a text names by `{"tidegate_service":"…"}`. Datadog sends what a monitor says with markdown and links of its own around it, in
 * a form that its documentation does not give, perhaps inside another JSON.
 */
function servicesIn(message: string): string[] {
  const mark = /\\?"tidegate_service\\?"\s*:\s*\\?"([a-z][a-z0-9-]{0,31})\\?"/g;
  return [...new Set([...message.matchAll(mark)].flatMap(([, service]) => service ?? []))].sort();
}

/** What is too much of a value; without recursion, and it stops where it is too much. */
function excessOf(value: unknown): string | undefined {
  const open: { readonly value: unknown; readonly level: number }[] = [{ value, level: 0 }];
  const tooLarge = `too large, got more than ${mostValues} values; expected one of ours`;
  let seen = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== "object" || next.value === null) continue;
    if (next.level > mostLevels) return `nested too deep, got more than ${mostLevels} levels; expected one of ours`;
    if (Array.isArray(next.value) && seen + next.value.length > mostValues) return tooLarge;
    // Key by key: listing all keys of a huge object is itself too slow.
    for (const key in next.value) {
      seen += 1;
      if (seen > mostValues) return tooLarge;
      open.push({ value: (next.value as Record<string, unknown>)[key], level: next.level + 1 });
    }
  }
  return undefined;
}

function jsonOf(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

function problemLines(error: z.core.$ZodError, root: string): string[] {
  const lines = error.issues.map((issue) => quoted(`  ${issue.path.join(".") || root}: ${issue.message}`));
  const hidden = lines.length - listedProblems;
  return hidden > 0 ? [...lines.slice(0, listedProblems), `  and ${hidden} more`] : lines;
}

function quoted(words: string | undefined): string {
  const all = words ?? "undefined";
  return all.length <= quotedLength ? all : `${all.slice(0, quotedLength)}… (${all.length} characters)`;
}
