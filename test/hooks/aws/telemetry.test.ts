import { describe, expect, it } from "vitest";
import { Redaction, redacted } from "../../../hooks/aws/redaction.ts";
import { recordSpans, type Span } from "../../../hooks/aws/spans.ts";
import { deployedTelemetry } from "../../../hooks/aws/telemetry.ts";
import { hookMetrics } from "../../../hooks/ports.ts";

/** Marked secrets: `LEAK` in each, where the form allows it; grepped for in every line. */
const secrets = {
  routingKey: "R0LEAKEFGHIJKLMNOPQRSTUVWXYZ2345",
  webhook: "https://hooks.slack.com/services/T0LEAK/B0LEAK/leakleakleakleak",
  accessKeyId: "ASIALEAKLEAKLEAK1234",
  secretAccessKey: "LEAKlEAK9/LEAK+leakLEAKleakLEAKleakLEAK9",
  sessionToken: `IQoJb3LEAK${"leakLEAK09+/".repeat(20)}==`,
  known: "a-known-LEAK-of-no-form",
};
const marks = /leak/i;

function scene(variables: Record<string, string | undefined> = {}) {
  const lines: string[] = [];
  const redaction = new Redaction([secrets.known]);
  const own = deployedTelemetry({
    environment: "production",
    redaction,
    variables,
    now: () => 0,
    write: (line) => void lines.push(line),
  });
  return {
    ...own,
    lines,
    redaction,
    parsed: () => lines.map((line) => JSON.parse(line)),
  };
}

describe("telemetry of a deployed function", () => {
  it("logs one JSON line, with the environment, the invocation and its fields [D7]", () => {
    const { telemetry, begin, parsed } = scene();
    begin({ requestId: "request-1" });
    telemetry.log("warn", "traffic lowered", { service: "checkout", toPercent: 0 });
    expect(parsed()).toEqual([
      {
        level: "WARN",
        message: "traffic lowered",
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        service: "tidegate-hook",
        sampling_rate: 0,
        environment: "production",
        requestId: "request-1",
        rolloutService: "checkout",
        toPercent: 0,
      },
    ]);
    begin({});
    telemetry.log("info", "next");
    expect(parsed()[1]).not.toHaveProperty("requestId");
  });

  it("logs an error with what lies under it [D7]", () => {
    const { telemetry, parsed } = scene();
    const cause = Object.assign(new RangeError("inner"), { requestId: "request-1" });
    telemetry.log("error", "failed", { error: new AggregateError([new Error("one")], "outer", { cause }) });
    expect(parsed()[0].error).toEqual({
      name: "AggregateError",
      message: "outer",
      stack: expect.stringContaining("AggregateError: outer\n    at "),
      cause: { requestId: "request-1", name: "RangeError", message: "inner", stack: expect.any(String) },
      errors: [{ name: "Error", message: "one", stack: expect.any(String) }],
    });
  });

  it("writes metrics at the end, one line a service, with environment and service as dimensions [D7]", async () => {
    const { telemetry, flush, lines, parsed } = scene();
    telemetry.metric("ReconcileFinished", 1);
    telemetry.metric("ExposurePercent", 25, "checkout");
    telemetry.metric("Decisions", 1, "checkout");
    telemetry.metric("Decisions", 2, "checkout");
    expect(lines).toEqual([]);
    await flush();
    const aws = (dimensions: string[][], ...metrics: string[][]) => ({
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [
        {
          Namespace: "Tidegate/Hook",
          Dimensions: dimensions,
          Metrics: metrics.map(([Name, Unit]) => ({ Name, Unit })),
        },
      ],
    });
    expect(parsed()).toEqual([
      { _aws: aws([["Environment"]], ["ReconcileFinished", "Count"]), Environment: "production", ReconcileFinished: 1 },
      {
        _aws: aws(
          [["Environment"], ["Environment", "Service"]],
          ["ExposurePercent", "Percent"],
          ["Decisions", "Count"],
        ),
        Environment: "production",
        Service: "checkout",
        ExposurePercent: 25,
        Decisions: [1, 2],
      },
    ]);
    await flush();
    expect(lines).toHaveLength(2);
  });

  it("takes every metric of the contract, in its unit [D7]", async () => {
    const { telemetry, flush, parsed } = scene({ POWERTOOLS_METRICS_NAMESPACE: "Other" });
    for (const name of Object.keys(hookMetrics) as (keyof typeof hookMetrics)[]) telemetry.metric(name, 1);
    await flush();
    const [definition] = parsed()[0]._aws.CloudWatchMetrics;
    expect(definition.Namespace).toBe("Other");
    expect(
      Object.fromEntries(definition.Metrics.map((each: { Name: string; Unit: string }) => [each.Name, each.Unit])),
    ).toEqual(hookMetrics);
  });

  it("writes a line before it holds more than 100 values [D7]", async () => {
    const { telemetry, flush, parsed } = scene();
    for (let index = 0; index < 250; index += 1) telemetry.metric("Decisions", index, "checkout");
    await flush();
    const values = parsed().map((line) => line.Decisions);
    expect(values.map((each) => each.length)).toEqual([99, 99, 52]);
    expect(values.flat()).toEqual(Array.from({ length: 250 }, (_, index) => index));
  });

  it("lets no secret out through messages, fields, errors, causes, events or metrics [D7]", async () => {
    const { telemetry, flush, begin, lines } = scene();
    const deep = new Error(`inner ${secrets.routingKey}`, {
      cause: { request: { headers: { Authorization: "LEAK" } } },
    });
    const error = Object.assign(new Error(`POST ${secrets.webhook} failed`, { cause: deep }), {
      $metadata: { token: "LEAK-1" },
      config: { credentials: { accessKeyId: secrets.accessKeyId } },
    });
    const event = { Records: [{ Sns: { Message: JSON.stringify({ routing_key: "LEAK-2", note: secrets.known }) } }] };
    begin({ requestId: secrets.known });
    for (const secret of Object.values(secrets)) {
      telemetry.log("info", `before ${secret} after`, { text: secret, nested: { list: [secret, { [secret]: 1 }] } });
      telemetry.log("error", "an error", {
        error: new Error(secret, { cause: new AggregateError([new Error(secret)]) }),
      });
      telemetry.log("info", "maps", {
        map: new Map([[secret, secret]]),
        set: new Set([secret]),
        url: encodeURIComponent(secret),
      });
    }
    telemetry.log("error", "failed", { error, event, password: "LEAK-3", "x-amz-security-token": "LEAK-4" });
    telemetry.log("info", 'aws_secret_access_key=LEAK-5, "sessionToken": "LEAK-6", Authorization: Bearer LEAK-7', {});
    telemetry.log("info", "https://user:LEAK-8@example.com/?X-Amz-Signature=LEAK9&x=1");
    telemetry.metric("Decisions", 1, secrets.known);
    await flush();
    expect(lines).toHaveLength(Object.keys(secrets).length * 3 + 4);
    expect(lines.filter((line) => marks.test(line))).toEqual([]);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  it("leaves readable what is no secret [D7]", () => {
    const { redaction } = scene();
    for (const text of [
      "tidegate/production/checkout/2-4-0-01234567/error-rate/critical/60s",
      "registry.example.com/shop@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
      "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/front/0123456789abcdef/0123456789abcdef/0123456789abcdef",
      "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pagerduty-AbCdEf",
      "1-5759e988-bd862e3fe1be46a994272793",
      "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "7f0e4bd6-9c1f-4b7e-9d2a-0f6a4c1e2b3d",
      "User: arn:aws:sts::123456789012:assumed-role/hook is not authorized to perform: sns:Publish",
    ]) {
      expect(redaction.text(text)).toBe(text);
    }
  });

  it("never throws, whatever it is given, and bounds what it writes [D7]", async () => {
    const { telemetry, flush, lines } = scene();
    const circle: Record<string, unknown> = { name: "circle", big: 1n, call: () => 1, none: undefined };
    circle.self = circle;
    Object.defineProperty(circle, "trap", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
    telemetry.log("info", "odd", {
      circle,
      long: "x ".repeat(1_000_000),
      many: Array.from({ length: 100_000 }, () => "y"),
    });
    telemetry.log(
      "info",
      "proxy",
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("no keys");
          },
        },
      ),
    );
    telemetry.metric("Decisions", Number.NaN, "checkout");
    await flush();
    expect(JSON.parse(lines[0] ?? "").circle).toMatchObject({
      self: "[circle]",
      trap: "[unreadable: Error: no]",
      big: "1",
    });
    expect(lines[0]?.length).toBeLessThan(20_000);
    expect(lines.slice(1)).toEqual([
      '{"level":"ERROR","message":"telemetry: a log line failed: Error: no keys"}',
      '{"level":"ERROR","message":"telemetry: metric Decisions failed: RangeError: got NaN; expected a finite number"}',
    ]);
  });

  it("survives a standard output that is gone [D7]", async () => {
    const broken = deployedTelemetry({
      environment: "production",
      redaction: new Redaction(),
      variables: {},
      now: () => 0,
      write: () => {
        throw new Error("EPIPE");
      },
    });
    broken.telemetry.log("info", "hello");
    broken.telemetry.metric("Decisions", 1);
    await expect(broken.flush()).resolves.toBeUndefined();
  });

  it("runs a step and gives back what it gave, traced or not [D7]", async () => {
    for (const variables of [
      {},
      { _X_AMZN_TRACE_ID: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1" },
    ]) {
      const { telemetry } = scene(variables);
      expect(await telemetry.span("a step", async () => 7)).toBe(7);
      await expect(telemetry.span("a step", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    }
  });
});

describe("spans", () => {
  interface Seen {
    readonly name: string;
    readonly inside: string;
    start_time?: number;
    end_time?: number;
    error?: string;
  }
  function scene() {
    const seen: Seen[] = [];
    const closed: string[] = [];
    const segment = (inside: string) => ({
      addNewSubsegment(name: string) {
        const made: Seen = { name, inside };
        seen.push(made);
        return Object.assign(made, {
          ...segment(name),
          close(error?: Error) {
            closed.push(name);
            made.end_time = 999;
            if (error) made.error = error.message;
          },
        });
      },
      close() {},
    });
    return { seen, closed, root: async () => segment("invocation") };
  }
  const pick = ({ name, inside, start_time, end_time, error }: Seen) => ({ name, inside, start_time, end_time, error });

  it("hang where they began, with the times they had, inner ones closed first [D7]", async () => {
    const { seen, closed, root } = scene();
    const outer: Span = { name: "reconcile checkout!", parent: undefined, startedAt: 1_000, endedAt: 3_000 };
    const inner: Span = { name: "lower", parent: outer, startedAt: 1_500, error: new Error("no") };
    await recordSpans([outer, inner], 4_000, root);
    expect(seen.map(pick)).toEqual([
      { name: "## reconcile checkout-", inside: "invocation", start_time: 1, end_time: 3, error: undefined },
      { name: "## lower", inside: "## reconcile checkout-", start_time: 1.5, end_time: 4, error: "no" },
    ]);
    expect(closed).toEqual(["## lower", "## reconcile checkout-"]);
  });

  it("are dropped where the invocation has no segment [D7]", async () => {
    await expect(
      recordSpans([{ name: "x", parent: undefined, startedAt: 0 }], 0, async () => undefined),
    ).resolves.toBeUndefined();
  });
});

describe("errors for a runtime that prints them", () => {
  it("keep name, message and stack without secrets, and no cause [D7]", () => {
    const { redaction } = scene();
    const error = new TypeError(`key ${secrets.routingKey}`, { cause: secrets.webhook });
    const clean = redaction.error(error);
    expect(clean.name).toBe("TypeError");
    expect(clean.message).toBe(`key ${redacted}`);
    expect(clean.stack).not.toMatch(marks);
    expect(clean.cause).toBeUndefined();
    expect(redaction.error("LEAK? no: a text").message).toBe("LEAK? no: a text");
  });
});
