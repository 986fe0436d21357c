import { describe, expect, it } from "vitest";
import { encryptionAtRest } from "../../../policies/shape/encryption-at-rest.ts";
import { logRetention } from "../../../policies/shape/log-retention.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";

const types = {
  table: "aws:dynamodb/table:Table",
  topic: "aws:sns/topic:Topic",
  queue: "aws:sqs/queue:Queue",
  logs: "aws:cloudwatch/logGroup:LogGroup",
} as const;

describe("encryption-at-rest", () => {
  const check = (type: string, props: Record<string, unknown>, config = {}) =>
    violationsOf(encryptionAtRest, [{ type, name: "records", props }], config);

  it.each([
    [types.table, { serverSideEncryption: { enabled: true } }],
    [types.topic, { kmsMasterKeyId: "alias/aws/sns" }],
    [types.queue, { sqsManagedSseEnabled: true }],
    [types.queue, { kmsMasterKeyId: "alias/shop" }],
    [types.table, { serverSideEncryption: { enabled: notKnownYet } }],
    [types.topic, { kmsMasterKeyId: notKnownYet }],
    [types.queue, { sqsManagedSseEnabled: notKnownYet }],
  ])("lets %s pass with %j: a key that is not known yet is one [E1]", async (type, props) => {
    expect(await check(type, props)).toEqual([]);
  });

  it.each([
    [types.table, {}, "table", "serverSideEncryption: { enabled: true }"],
    [types.table, { serverSideEncryption: { enabled: false } }, "table", "serverSideEncryption: { enabled: true }"],
    [types.topic, { kmsMasterKeyId: "" }, "topic", "kmsMasterKeyId"],
    [types.queue, { sqsManagedSseEnabled: false }, "queue", "sqsManagedSseEnabled: true or kmsMasterKeyId"],
  ])("refuses %s with %j [E1]", async (type, props, kind, property) => {
    expect(await check(type, props)).toEqual([
      `records: the ${kind} has no encryption of its own, got none; expected ${property}. Set ${property}`,
    ]);
  });

  it("asks for a key on log groups only where that is configured [E1]", async () => {
    expect(await check(types.logs, {})).toEqual([]);
    expect(await check(types.logs, {}, { kinds: ["log-group"] })).toEqual([
      "records: the log group has no encryption of its own, got none; expected kmsKeyId. Set kmsKeyId",
    ]);
    expect(await check(types.logs, { kmsKeyId: notKnownYet }, { kinds: ["log-group"] })).toEqual([]);
    expect(await check(types.table, {}, { kinds: ["log-group"] })).toEqual([]);
  });
});

describe("log-retention", () => {
  const check = (retentionInDays: unknown, config = {}) =>
    violationsOf(logRetention, [{ type: types.logs, name: "hook-logs", props: { retentionInDays } }], config);

  it("lets a month and more pass [E1]", async () => {
    expect(await check(30)).toEqual([]);
    expect(await check(90)).toEqual([]);
  });

  it.each([
    [undefined, "no retentionInDays"],
    [0, "0 days"],
    [14, "14 days"],
  ])("refuses %s [E1]", async (days, got) => {
    expect(await check(days)).toEqual([
      `hook-logs: logs are not kept as long as they are needed, or for ever, got ${got}; expected at least 30 days. ` +
        "Set retentionInDays to 30 or more",
    ]);
  });

  it("takes the configured minimum [E1]", async () => {
    expect(await check(14, { minimumDays: 7 })).toEqual([]);
    expect(await check(30, { minimumDays: 365 })).toHaveLength(1);
  });

  it("says nothing while it cannot be known [E1]", async () => {
    expect(await check(notKnownYet)).toEqual([]);
  });
});
