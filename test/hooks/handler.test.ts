import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stableJson } from "../../components/stable-json.ts";
import type { ServiceDescription } from "../../core/declaration.ts";
import { planPresets } from "../../core/plans.ts";
import { buildHookBundle, maximumBundleBytes } from "../../hooks/bundle.ts";
import { type HandlerParts, makeHandler, partsFromEnvironment } from "../../hooks/handler.ts";
import type { Ports } from "../../hooks/ports.ts";

const description: ServiceDescription = {
  kind: "tidegate:opening",
  schemaVersion: 1,
  environment: "dev",
  service: "checkout",
  mode: "act",
  source: "alb",
  plan: planPresets.cautious,
  rules: [{ arn: "arn:main", role: "main" }],
  alarms: [],
  loadBalancerArnSuffix: "app/edge/1",
  blindMinutes: 15,
  rollbackWindowMinutes: 1_440,
  releases: [],
  baseline: "sha256:a",
  exposurePercent: 0,
  realityGeneration: 0,
  takenBy: "example/tidegate/dev",
  retire: false,
};

function aHandler(failure?: Error) {
  const committed: ServiceDescription[] = [];
  let reconciled = 0;
  let made = 0;
  const parts = (): HandlerParts => {
    made += 1;
    return {
      environment: "dev",
      ports: {} as Ports,
      commit: async (_ports, given) => {
        committed.push(given);
        return `${given.service}: committed`;
      },
      reconcile: async () => {
        reconciled += 1;
        if (failure) throw failure;
      },
    };
  };
  return { handle: makeHandler(parts), committed, reconciled: () => reconciled, made: () => made };
}

/** As it arrives: through JSON, with what the invocation resource adds. */
const arriving = (event: object, tf?: object): unknown => JSON.parse(stableJson(tf ? { ...event, tf } : event));

describe("the hook's handler", () => {
  it.each(["create", "update"])("commits an opening on %s", async (action) => {
    const hook = aHandler();
    const answer = await hook.handle(arriving(description, { action, prev_input: null }));
    expect(answer).toEqual({ outcome: "committed", message: "checkout: committed" });
    expect(hook.committed).toEqual([description]);
  });

  it("does nothing when the opening is deleted, even by a description it cannot read", async () => {
    const hook = aHandler();
    const answer = await hook.handle(
      arriving({ kind: "tidegate:opening", service: "checkout", old: 1 }, { action: "delete" }),
    );
    expect(answer).toEqual({
      outcome: "nothing-to-do",
      message: "checkout: its opening is removed from the stack; record, holds and weights stay as they are",
    });
    expect(hook.committed).toEqual([]);
  });

  it("makes its parts once, on the first event that needs them", async () => {
    const hook = aHandler();
    await hook.handle(arriving(description, { action: "delete" }));
    expect(hook.made()).toBe(0);
    await hook.handle(arriving(description));
    await hook.handle(arriving(description));
    expect(hook.made()).toBe(1);
  });

  it("reconciles every service when the clock comes, and fails when that fails", async () => {
    const clock = { source: "aws.events", "detail-type": "Scheduled Event", detail: {} };
    const hook = aHandler();
    expect(await hook.handle(clock)).toEqual({ outcome: "reconciled", message: "every service was looked at" });
    expect(hook.reconciled()).toBe(1);
    const failing = aHandler(new Error("checkout: rules: AccessDenied"));
    await expect(failing.handle(clock)).rejects.toThrow("checkout: rules: AccessDenied");
  });

  it.each([
    [
      "an alarm event",
      {
        source: "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        detail: { alarmName: "tidegate/dev/a" },
      },
      "alarm tidegate/dev/a: alarm events are not handled, this version of the deployed hook looks at all alarms once a minute instead",
    ],
    [
      "a direct alarm action",
      { source: "aws.cloudwatch", alarmArn: "arn", alarmData: { alarmName: "tidegate/dev/a" } },
      "alarm tidegate/dev/a: direct alarm actions are not handled, this version of the deployed hook looks at all alarms once a minute instead",
    ],
    [
      "an SNS message",
      { Records: [{ EventSource: "aws:sns", Sns: {} }] },
      "SNS message: messages are not handled, this version of the deployed hook looks at all alarms once a minute instead",
    ],
  ])("refuses %s by name", async (_, event, message) => {
    await expect(aHandler().handle(event)).rejects.toMatchObject({ name: "NotYetHandledError", message });
  });

  it.each([
    [
      "another shape",
      { detail: 1, source: "aws.s3" },
      "event: of no known kind, got the keys detail, source; expected a Tidegate opening",
    ],
    ["no object", "reconcile", "event: no object, got string"],
    [
      "an unknown life cycle",
      arriving(description, { action: "read" }),
      'life-cycle note not understood, got {"action":"read"}',
    ],
    ["another environment", { ...description, environment: "prod" }, "for another environment, got prod; expected dev"],
  ])("refuses %s", async (_, event, message) => {
    const refusal = aHandler().handle(event);
    await expect(refusal).rejects.toMatchObject({
      name: "UnknownEventError",
      message: expect.stringContaining(message),
    });
  });

  it("refuses a description of another version with every problem [B11]", async () => {
    const { baseline: _, ...rest } = description;
    await expect(aHandler().handle({ ...rest, exposurePercent: 120, control: "sha256:c" })).rejects.toThrow(
      /^opening of checkout: 3 problem\(s\), nothing was committed\. Program and hook must be of one version:\n/,
    );
  });

  it("names every environment variable that is missing", () => {
    expect(() => partsFromEnvironment({ AWS_REGION: "eu-west-1", TIDEGATE_TABLE: "" })).toThrow(
      "environment variables: TIDEGATE_ENVIRONMENT, TIDEGATE_TABLE missing or empty; deploy the hook with its program",
    );
  });
});

describe("the hook's bundle", () => {
  it("is the same bytes twice, loads alone, and weighs less than a megabyte", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tidegate-bundle-"));
    const first = await readFile(await buildHookBundle(join(folder, "1", "index.mjs")));
    const second = await readFile(await buildHookBundle(join(folder, "2", "index.mjs")));
    expect(second.equals(first)).toBe(true);
    expect(first.byteLength).toBeLessThan(maximumBundleBytes);
    expect(first.toString("utf8")).not.toContain(process.cwd());
    const loaded: { handler: (event: unknown) => Promise<unknown> } = await import(join(folder, "1", "index.mjs"));
    await expect(loaded.handler({ Records: [{ EventSource: "aws:sns" }] })).rejects.toMatchObject({
      name: "NotYetHandledError",
    });
  }, 20_000);
});
