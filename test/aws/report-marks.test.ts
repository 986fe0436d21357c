/** Marks of sent reports on DynamoDB, as ministack has it: one run at a time, channel by channel, and nothing forgotten (D6). */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { clientSettings } from "../../hooks/aws/clients.ts";
import { claimMilliseconds, dynamoMarks } from "../../reports/marks.ts";
import { makeTable } from "./a-table.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

emulatorEndpoint("AWS_ENDPOINT_URL");
const client = new DynamoDBClient(clientSettings(access));
const now = Date.UTC(2026, 10, 23, 9);
const id = "week/2026-W47";

async function freshMarks() {
  const tableName = freshName("marks");
  await makeTable(client, tableName);
  return dynamoMarks(client, tableName);
}

describe("marks of reports on DynamoDB", () => {
  it("are armed by the first asking, and stay so [D6]", async () => {
    const marks = await freshMarks();
    expect([await marks.armedAt(now), await marks.armedAt(now + 1)]).toEqual([now, now]);
  });

  it("let one of several runs work on a report, and another when it let go [D6]", async () => {
    const marks = await freshMarks();
    const claims = await Promise.all(Array.from({ length: 5 }, () => marks.claim(id, now)));
    expect(claims.filter(Boolean)).toEqual([true]);
    expect(await marks.claim("quarter/2026-Q4", now)).toBe(true);
    await marks.release(id);
    expect(await marks.claim(id, now)).toBe(true);
  });

  it("take the work from a run that died, and not a moment before [D6]", async () => {
    const marks = await freshMarks();
    expect(await marks.claim(id, now)).toBe(true);
    expect(await marks.claim(id, now + claimMilliseconds)).toBe(false);
    expect(await marks.claim(id, now + claimMilliseconds + 1)).toBe(true);
  });

  it("keep channels one by one, each once, through claims and releases [D6]", async () => {
    const marks = await freshMarks();
    expect([...(await marks.deliveredTo(id))]).toEqual([]);
    await marks.claim(id, now);
    await marks.markDelivered(id, "e-mail");
    await marks.markDelivered(id, "e-mail");
    await marks.release(id);
    await marks.claim(id, now);
    await marks.markDelivered(id, "slack");
    expect([...(await marks.deliveredTo(id))].sort()).toEqual(["e-mail", "slack"]);
    expect([...(await marks.deliveredTo("week/2026-W48"))]).toEqual([]);
  });

  it("fail by name where the table is gone, so that no report goes out unmarked [D6]", async () => {
    const marks = dynamoMarks(client, freshName("no-table"));
    await expect(marks.armedAt(now)).rejects.toThrow(/arming reports/);
    await expect(marks.claim(id, now)).rejects.toThrow(/claiming report week\/2026-W47/);
  });
});
