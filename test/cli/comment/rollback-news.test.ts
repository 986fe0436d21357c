/** Drift beside a rollback: the engine's own preview of a closed latch, with one thing changed in it. */
import { describe, expect, it } from "vitest";
import { commentOn, recorded } from "./recorded.ts";

type Tree = Record<string, unknown>;
interface Metadata {
  op: string;
  urn: string;
  old: { inputs: Tree; outputs: Tree };
  new: { inputs: Tree; outputs: Tree };
}

const lines = (): Tree[] =>
  recorded("pinned.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const metadataOf = (event: Tree): Metadata | undefined =>
  Object(event.resOutputsEvent ?? event.resourcePreEvent).metadata;
const arnOf = (name: string) => `arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/${name}`;

async function driftOf(events: readonly Tree[]): Promise<string> {
  const { code, error } = await commentOn(events.map((event) => JSON.stringify(event)).join("\n"), {
    policies: "example",
    expectNoChanges: true,
  });
  expect(code).toBe(error === "" ? 0 : 3);
  return error.replace("tidegate comment: the comment is written; drift: ", "");
}

/** The recording, with every event about a resource changed. */
function changed(name: string, change: (metadata: Metadata) => void): Tree[] {
  const events = lines();
  for (const event of events) {
    const metadata = metadataOf(event);
    if (metadata?.urn.endsWith(`::${name}`)) change(metadata);
  }
  return events;
}

/** After the first, by which a preview is known. */
const withEvents = (events: readonly Tree[], ...more: Tree[]): Tree[] => [
  ...events.slice(0, 1),
  ...more,
  ...events.slice(1),
];

/** The recording, with a refresh that found a rule otherwise. */
function found(name: string, find: (outputs: Tree) => Tree | undefined): Tree[] {
  const events = lines();
  const rule = events.map(metadataOf).find((metadata) => metadata?.urn.endsWith(`::${name}`));
  if (!rule) throw new Error(`no ${name}`);
  const after = find(structuredClone(rule.old.outputs));
  const metadata = {
    ...rule,
    op: after ? "update" : "delete",
    new: after ? { ...rule.old, outputs: after } : null,
  };
  return withEvents(
    events,
    { resourcePreEvent: { metadata: { ...rule, op: "refresh" } } },
    { resOutputsEvent: { metadata } },
  );
}

const actionOf = (fields: Tree): Tree => Object(Object(fields.actions)[0]);
const ruleType = "aws:lb/listenerRule:ListenerRule";
const updated = (name: string) => `${name} (${ruleType}) would be changed: update`;

describe("beside a rollback", () => {
  it("weights, testers and stickiness are news, of further routes, too [B4, E2]", async () => {
    expect(await driftOf(lines())).toBe("");
    expect(
      await driftOf(
        changed("checkout-main", ({ old }) => {
          Object(actionOf(old.inputs).forward).stickiness = { enabled: true, duration: 3_600 };
        }),
      ),
    ).toBe("");
    const ofRoute = lines().map((event) =>
      JSON.parse(JSON.stringify(event).replaceAll(/(::checkout-(?:main|tester))"/g, '$1-0a1b2c3d"')),
    );
    expect(await driftOf(ofRoute)).toBe("");
  });

  it("what the hook wrote is news when a refresh finds it, in the load balancer's own words [B4, E2]", async () => {
    const lowered = found("checkout-main", (outputs) => {
      const [{ arn }] = Object(actionOf(outputs).forward).targetGroups;
      const forward = { targetGroups: [{ arn, weight: 100 }], stickiness: { enabled: false, duration: 0 } };
      return { ...outputs, actions: [{ ...actionOf(outputs), targetGroupArn: arn, forward }] };
    });
    expect(await driftOf(lowered)).toBe("");
  });

  it.each<[string, string, (inputs: Tree) => void]>([
    [
      "a condition",
      "checkout-main",
      (inputs) => Object.assign(inputs, { conditions: [{ hostHeader: { values: ["*"] } }] }),
    ],
    ["its place", "checkout-tester", (inputs) => Object.assign(inputs, { priority: 7 })],
    ["its listener", "checkout-main", (inputs) => Object.assign(inputs, { listenerArn: "arn:other" })],
    ["a tag", "checkout-main", (inputs) => Object.assign(inputs, { tags: {} })],
    [
      "a group of others",
      "checkout-main",
      (inputs) => void Object(actionOf(inputs).forward).targetGroups.push({ arn: arnOf("theirs/1"), weight: 1 }),
    ],
    ["the kind of action", "checkout-main", (inputs) => Object.assign(actionOf(inputs), { type: "redirect" })],
    ["a second action", "checkout-main", (inputs) => void (inputs.actions as unknown[]).unshift({ type: "forward" })],
    ["no action at all", "checkout-main", (inputs) => Object.assign(inputs, { actions: [] })],
    ["the order of its actions", "checkout-main", (inputs) => Object.assign(actionOf(inputs), { order: 2 })],
  ])("is drift where %s changes [E2]", async (_what, name, change) => {
    const before = changed(name, ({ old }) => change(old.inputs));
    const after = changed(name, (metadata) => change(metadata.new.inputs));
    expect(await driftOf(before)).toBe(updated(name));
    expect(await driftOf(after)).toBe(updated(name));
  });

  it("what somebody else did to a rule is drift when a refresh finds it [E2]", async () => {
    const behind = `checkout-main (${ruleType}) is changed behind Pulumi's back`;
    expect(await driftOf(found("checkout-main", (outputs) => ({ ...outputs, priority: 7 })))).toBe(behind);
    const theirs = (outputs: Tree) => {
      Object(actionOf(outputs).forward).targetGroups = [{ arn: arnOf("theirs/1"), weight: 100 }];
      return outputs;
    };
    expect(await driftOf(found("checkout-main", theirs))).toBe(behind);
    expect(await driftOf(found("checkout-main", () => undefined))).toBe(
      `checkout-main (${ruleType}) is gone behind Pulumi's back`,
    );
  });

  it("what a refresh finds right does not hide what is planned wrong, nor does the anchor as found vouch for it [E2]", async () => {
    const events = found("checkout-main", (outputs) => {
      Object(actionOf(outputs).forward).targetGroups.pop();
      return outputs;
    });
    for (const event of events.slice(3)) {
      const metadata = metadataOf(event);
      if (metadata?.urn.endsWith("::checkout-main")) metadata.old.inputs.priority = 7;
      if (metadata?.urn.endsWith("::checkout-anchor")) metadata.old.inputs.actions = [];
    }
    expect(await driftOf(events)).toBe(updated("checkout-main"));
  });

  it("any other change is drift, and so is a rule that is replaced or has no form that we know [E2]", async () => {
    expect(await driftOf(changed("checkout-main", (metadata) => Object.assign(metadata, { op: "replace" })))).toBe(
      `checkout-main (${ruleType}) would be changed: replace`,
    );
    expect(
      await driftOf(
        changed("checkout-main", ({ old, new: after }) => {
          old.inputs = {};
          after.inputs = {};
        }),
      ),
    ).toBe(updated("checkout-main"));
    // Nothing says which groups are the service's own.
    expect(await driftOf(changed("checkout-anchor", (metadata) => Object.assign(metadata.new, { inputs: {} })))).toBe(
      `${updated("checkout-main")}; ${updated("checkout-tester")}`,
    );
  });

  it("a resource that is only read is no drift [E2]", async () => {
    const read = {
      op: "read",
      urn: "urn:pulumi:dev::tidegate::aws:ec2/vpc:Vpc::network",
      provider: "aws",
      old: null,
      new: { inputs: {}, outputs: {} },
    };
    expect(await driftOf(withEvents(lines(), { resOutputsEvent: { metadata: read } }))).toBe("");
    expect(await driftOf(withEvents(lines(), { resOutputsEvent: { metadata: { ...read, op: "create" } } }))).toBe(
      "network (aws:ec2/vpc:Vpc) would be changed: create",
    );
  });
});
