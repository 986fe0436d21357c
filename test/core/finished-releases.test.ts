/** What is remembered of releases that finished, and what takes it away again (A8). */
import { describe, expect, it } from "vitest";
import { finishedAfter, finishedHere, mostRemembered, speaksAgainst } from "../../core/finished-releases.ts";
import type { FinishedRelease } from "../../core/gate/evidence.ts";
import type { Hold } from "../../core/record.ts";

const day = 86_400_000;
const start = Date.UTC(2026, 0, 5, 10);

const aFinish = (version: string, at = start, digest = `sha256:${version}`): FinishedRelease => ({
  version,
  digest,
  at,
  figures: {},
});
const aHold = (change: Partial<Hold> = {}): Hold => ({
  id: "kill-1",
  scope: "service",
  digest: "sha256:2",
  at: start + day,
  cause: "kill",
  detail: "it loses orders",
  response: "disable",
  targetPercent: 0,
  attempt: 1,
  ...change,
});
const acknowledged = { by: "an SRE", reason: "mended", at: start + 2 * day };
const versionsWith = (holds: Hold[], ...finished: FinishedRelease[]) =>
  finishedHere({
    finished: Object.fromEntries(finished.map((each) => [each.digest, each])),
    holds: Object.fromEntries(holds.map((hold) => [hold.id, hold])),
  }).map(({ version }) => version);

describe("what is remembered of finished releases", () => {
  it("is the newest finish of each, for 100 days, and never more than 50 [A8]", () => {
    const once = finishedAfter(undefined, aFinish("1"));
    expect(once).toEqual({ "sha256:1": aFinish("1") });
    const twice = finishedAfter(once, aFinish("1", start + day));
    expect(twice).toEqual({ "sha256:1": aFinish("1", start + day) });
    expect(Object.keys(finishedAfter(once, aFinish("2", start + 100 * day - 1)))).toEqual(["sha256:1", "sha256:2"]);
    expect(Object.keys(finishedAfter(once, aFinish("2", start + 100 * day)))).toEqual(["sha256:2"]);
    let many: Record<string, FinishedRelease> = {};
    for (let index = 0; index < mostRemembered + 3; index += 1)
      many = finishedAfter(many, aFinish(String(index), start + index));
    expect(Object.values(many).map(({ version }) => Number(version))).toEqual(
      Array.from({ length: mostRemembered }, (_, index) => index + 3),
    );
  });

  it("counts until the release is rolled back or held, and again once a hold that took nothing is acknowledged [A8, B5]", () => {
    const two = aFinish("2");
    expect(versionsWith([], two, aFinish("1", start - 1))).toEqual(["1", "2"]);
    expect(versionsWith([aHold()], two)).toEqual([]);
    expect(versionsWith([aHold({ acknowledged })], two)).toEqual([]);
    const freeze = { response: "freeze", cause: "blind" } as const;
    expect(versionsWith([aHold(freeze)], two)).toEqual([]);
    expect(versionsWith([aHold({ ...freeze, acknowledged })], two)).toEqual(["2"]);
    expect(versionsWith([aHold({ response: "halve", targetPercent: 10, acknowledged })], two)).toEqual(["2"]);
  });

  it("does not count against a release what came before its finish, or befell another [A8]", () => {
    const finish = aFinish("2", start + 3 * day);
    expect(versionsWith([aHold({ acknowledged })], finish)).toEqual(["2"]);
    expect(versionsWith([aHold({ acknowledged, at: start + 3 * day })], finish)).toEqual([]);
    expect(versionsWith([aHold({ digest: "sha256:other" })], finish)).toEqual(["2"]);
    expect(speaksAgainst(aHold({ digest: "arn:group/blue#3" }), "arn:group/blue#2")).toBe(false);
  });

  it("lists none where none finished [A8]", () => {
    expect(finishedHere({ holds: {} })).toEqual([]);
  });
});
