/** What may wake the hook: every kind told apart, everything else refused by name, briefly and at once. */
import { describe, expect, it } from "vitest";
import { readEvent, UnknownEventError } from "../../hooks/events.ts";

const alarmName = "tidegate/dev/checkout/2-0-0-1/error-rate/critical/60s";
const snsOf = (message: unknown) => ({
  Records: [
    { EventSource: "aws:sns", Sns: { Message: typeof message === "string" ? message : JSON.stringify(message) } },
  ],
});
const command = {
  kind: "tidegate:command",
  command: "kill",
  service: "checkout",
  by: "an SRE",
  reason: "customers call",
};

/** An array in an array, that deep. */
function nested(depth: number): unknown {
  return JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`);
}

function refusalOf(event: unknown): { readonly message: string; readonly milliseconds: number } {
  // Processor time: other tests run beside this one.
  const started = process.cpuUsage();
  const spent = () => {
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1_000;
  };
  try {
    const read = readEvent(event);
    return { message: `read as ${read.kind}`, milliseconds: spent() };
  } catch (error) {
    const milliseconds = spent();
    if (error instanceof UnknownEventError) return { message: error.message, milliseconds };
    throw error;
  }
}

describe("an event", () => {
  it.each<[string, unknown, unknown]>([
    ["the clock", { source: "aws.events", "detail-type": "Scheduled Event", detail: {} }, { kind: "schedule" }],
    [
      "an alarm through EventBridge",
      { source: "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", detail: { alarmName, state: {} } },
      { kind: "alarm", alarmName },
    ],
    [
      "an alarm's direct action",
      { source: "aws.cloudwatch", alarmArn: "arn:aws:cloudwatch:…", alarmData: { alarmName, state: {} } },
      { kind: "alarm", alarmName },
    ],
    ["CloudWatch through SNS", snsOf({ AlarmName: alarmName, NewStateValue: "OK" }), { kind: "alarm", alarmName }],
    ["Datadog through SNS", snsOf({ tidegate_service: "checkout" }), { kind: "look", services: ["checkout"] }],
    [
      "Datadog through SNS, with markdown around it",
      snsOf(
        '%%%\ncheckout: too many errors\n{"tidegate_service":"checkout"}\n@sns-x\n[Monitor](https://x.example)\n%%%',
      ),
      { kind: "look", services: ["checkout"] },
    ],
    [
      "Datadog through SNS, inside another JSON",
      snsOf({ body: 'too many errors\n{"tidegate_service":"checkout"} {"tidegate_service":"basket"}' }),
      { kind: "look", services: ["basket", "checkout"] },
    ],
    [
      "Grafana through SNS, each service once",
      snsOf({
        alerts: [
          { labels: { tidegate_service: "checkout" } },
          { labels: { tidegate_service: "basket" } },
          { labels: { tidegate_service: "checkout" } },
          { labels: { other: 1 } },
          "noise",
        ],
      }),
      { kind: "look", services: ["basket", "checkout"] },
    ],
    ["the self-test", { kind: "tidegate:self-test" }, { kind: "self-test" }],
    ["a drill", { kind: "tidegate:drill" }, { kind: "drill" }],
    [
      "a command",
      command,
      { kind: "command", command: "kill", service: "checkout", by: "an SRE", reason: "customers call" },
    ],
    [
      "an acknowledgement of one hold",
      { ...command, command: "acknowledge", holdId: "kill-1" },
      {
        kind: "command",
        command: "acknowledge",
        service: "checkout",
        by: "an SRE",
        reason: "customers call",
        holdId: "kill-1",
      },
    ],
  ])("of %s is told apart", (_title, event, expected) => {
    expect(readEvent(event)).toEqual(expected);
  });

  it.each<[string, unknown, string]>([
    ["nothing", null, "event: no object, got object; expected an event with a known shape"],
    ["no value", undefined, "event: no object, got undefined; expected an event with a known shape"],
    ["a list", [{ kind: "tidegate:drill" }], "event: no object, got object; expected an event with a known shape"],
    ["a text", "tidegate:drill", "event: no object, got string; expected an event with a known shape"],
    [
      "an empty object",
      {},
      "event: of no known kind, got the keys (none); expected a Tidegate opening, command, drill or self-test, a CloudWatch alarm, a scheduled event or an SNS message",
    ],
    [
      "another kind of ours",
      { kind: "tidegate:raise" },
      "event: of no known kind, got the keys kind; expected a Tidegate opening, command, drill or self-test, a CloudWatch alarm, a scheduled event or an SNS message",
    ],
    [
      "nested deeper than anything of ours",
      { a: nested(33) },
      "event: nested too deep, got more than 32 levels; expected one of ours",
    ],
    [
      "SNS nested deeper than anything of ours",
      snsOf(nested(40)),
      "SNS message: nested too deep, got more than 32 levels; expected one of ours",
    ],
    [
      "two SNS records",
      { Records: [...snsOf({}).Records, ...snsOf({}).Records] },
      "event: of no known kind, got the keys Records; expected a Tidegate opening, command, drill or self-test, a CloudWatch alarm, a scheduled event or an SNS message",
    ],
    [
      "a command that is not whole, with every problem",
      { kind: "tidegate:command", command: "raise", service: "", by: 1, extra: 1 },
      'command: not whole, nothing was done:\n  command: Invalid option: expected one of "kill"|"pause"|"resume"|"acknowledge"\n  service: Too small: expected string to have >=1 characters\n  by: Invalid input: expected string, received number\n  reason: Invalid input: expected string, received undefined\n  command: Unrecognized key: "extra"',
    ],
    [
      "SNS that is no JSON",
      snsOf("<b>alert</b>"),
      "SNS message: names no service, got 12 characters of something else; expected CloudWatch's AlarmName, a field tidegate_service, or alerts with that label",
    ],
    [
      "SNS without a service",
      snsOf({ alerts: [{ labels: {} }] }),
      "SNS message: names no service, got 26 characters of something else; expected CloudWatch's AlarmName, a field tidegate_service, or alerts with that label",
    ],
    [
      "an opening whose life cycle is unknown",
      { kind: "tidegate:opening", service: "checkout", tf: { action: "read" } },
      "opening: life-cycle note not understood, got object; expected tf.action create, update or delete",
    ],
  ])("that is %s is refused in these words [B11]", (_title, event, message) => {
    expect(refusalOf(event).message).toBe(message);
  });

  it("that is an opening going away is read for its name alone", () => {
    expect(readEvent({ kind: "tidegate:opening", service: "checkout", old: 1, tf: { action: "delete" } })).toEqual({
      kind: "opening-deleted",
      service: "checkout",
    });
  });
});

const megabytes = (count: number) => "x".repeat(count * 1_000_000);
const sixMegabytesOfKeys = () =>
  Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`${"k".repeat(50)}-${index}`, 1]));
const keyed = JSON.parse(
  '{"kind":"tidegate:opening","__proto__":{"service":"x"},"constructor":{"prototype":{}},"toString":1,"hasOwnProperty":1}',
);

describe("garbage", () => {
  it.each<[string, () => unknown]>([
    ["prototype keys in an opening", () => keyed],
    [
      "prototype keys in a command",
      () => ({ ...JSON.parse('{"__proto__":{"command":"kill"}}'), ...command, service: 1 }),
    ],
    [
      "a service that is no text and cannot be made one",
      () => ({ kind: "tidegate:opening", service: { toString: 1 } }),
    ],
    ["deep nesting in an unknown event", () => ({ a: nested(100_000) })],
    ["deep nesting as a service", () => ({ kind: "tidegate:opening", service: nested(100_000) })],
    ["deep nesting as a life-cycle note", () => ({ kind: "tidegate:opening", service: "s", tf: nested(100_000) })],
    [
      "deep nesting in a description",
      () => ({ kind: "tidegate:opening", service: "s", plan: { waves: nested(100_000) } }),
    ],
    ["deep nesting in SNS", () => snsOf(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)],
    ["6 MB of text as a service", () => ({ kind: "tidegate:opening", service: megabytes(6) })],
    ["6 MB of text as a command's service", () => ({ ...command, service: [megabytes(6)] })],
    ["6 MB as a life-cycle note", () => ({ kind: "tidegate:opening", service: "s", tf: { action: megabytes(6) } })],
    ["6 MB of keys", () => sixMegabytesOfKeys()],
    ["6 MB of unknown keys in a command", () => ({ ...command, ...sixMegabytesOfKeys() })],
    [
      "6 MB of waves that are none",
      () => ({
        kind: "tidegate:opening",
        service: "s",
        plan: { waves: Array.from({ length: 1_500_000 }, () => ({})) },
      }),
    ],
    [
      "6 MB of alarms that are none",
      () => ({ kind: "tidegate:opening", alarms: Array.from({ length: 3_000_000 }, () => 1) }),
    ],
    ["6 MB of SNS", () => snsOf(megabytes(6))],
    ["6 MB of Grafana alerts", () => snsOf({ alerts: Array.from({ length: 1_500_000 }, () => ({})) })],
    [
      "everything wrong at once",
      () => ({ kind: "tidegate:opening", service: "s".repeat(5_000), releases: [{}, {}, {}] }),
    ],
  ])("of %s is refused by name, in under 1 kB and 200 ms [B11]", (_title, make) => {
    const event = make();
    const { message, milliseconds } = refusalOf(event);
    expect(message).toMatch(/^(event|opening|command|SNS message)\b/);
    expect(message.length).toBeLessThan(1_000);
    expect(milliseconds).toBeLessThan(200);
  });

  it("leaves prototypes alone", () => {
    refusalOf(keyed);
    expect(({} as Record<string, unknown>).service).toBeUndefined();
  });
});

describe("what an event says", () => {
  const secret = "xoxb-not-for-logs";

  it("is not repeated: neither a command's nor a description's values, nor what is nested in an unknown event", () => {
    for (const event of [
      { ...command, command: secret, reason: 1 },
      { ...command, by: { secret }, holdId: [secret] },
      { kind: "tidegate:opening", service: "checkout", environment: [secret], plan: { name: 1, key: secret } },
      { source: "aws.s3", detail: { secret } },
      { kind: secret },
      { alarmData: { secret }, source: secret },
    ]) {
      expect(refusalOf(event).message).not.toContain(secret);
    }
  });

  it("is repeated in one place, cut short: an opening's service", () => {
    const long = `${secret}${"x".repeat(400)}`;
    const cut = `${long.slice(0, 300)}… (${long.length} characters)`;
    expect(refusalOf({ kind: "tidegate:opening", service: long }).message).toContain(`opening of ${cut}: `);
    expect(refusalOf({ kind: "tidegate:opening", service: "s", tf: secret }).message).not.toContain(secret);
    expect(refusalOf({ kind: "tidegate:opening", service: "s", tf: { [secret]: secret } }).message).not.toContain(
      secret,
    );
  });

  it("is not repeated from a foreign SNS message, whatever it is made of: only its length is said", () => {
    for (const message of [
      secret,
      `${secret}${"x".repeat(400)}`,
      { token: secret },
      { [secret]: 1 },
      { AlarmName: [secret] },
      { tidegate_service: { secret } },
      { alerts: [secret, { labels: { secret } }] },
    ]) {
      const event = snsOf(message);
      const length = event.Records[0]?.Sns.Message.length;
      expect(refusalOf(event).message).toBe(
        `SNS message: names no service, got ${length} characters of something else; expected CloudWatch's AlarmName, a field tidegate_service, or alerts with that label`,
      );
    }
  });
});
