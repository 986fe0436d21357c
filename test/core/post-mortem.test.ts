/** The draft of a post-mortem: what is known is filled in, what only people know is asked for (B6). */
import { beforeAll, describe, expect, it } from "vitest";
import { postMortem, postMortemDueMilliseconds } from "../../core/post-mortem.ts";
import type { HistoryEntry, Hold, RolloutRecord } from "../../core/record.ts";
import type { Snapshot } from "../../core/snapshot.ts";
import { v2, World } from "../helpers/world.ts";

const at = Date.UTC(2026, 0, 5, 3, 4, 5);
const minute = 60_000;
const hold: Hold = {
  id: "error-rate-critical-1",
  scope: "digest",
  digest: v2.digest,
  at,
  cause: "breach",
  detail: "error-rate (critical) of 2.0.0 at 25 %",
  response: "disable",
  targetPercent: 0,
  attempt: 1,
};
const history: readonly HistoryEntry[] = [
  { at: at - 61 * minute, kind: "commit", message: "2.0.0 from 10 % to 25 %", exposurePercent: 25 },
  { at: at - 60 * minute, kind: "observed", message: "a | pipe\nand a line", exposurePercent: 25 },
  { at, kind: "rollback", message: "2.0.0 from 25 % to 0 %", exposurePercent: 0 },
];
let record: RolloutRecord;
let snapshot: Snapshot;

beforeAll(async () => {
  record = (await new World().rolledOutTo(25)).record;
  snapshot = {
    schemaVersion: 1,
    id: hold.id,
    service: "checkout",
    environment: "dev",
    takenAt: at + 2_000,
    hold,
    values: [
      {
        alarmName: "tidegate/dev/checkout/2-0-0-1/error-rate/critical/60s",
        threshold: 5,
        badWhen: "above",
        points: [
          { at: at - 2 * minute, value: 0 },
          { at: at - minute, value: 12.34567 },
        ],
      },
      { alarmName: "without points", threshold: 1, badWhen: "atMost", points: [] },
    ],
    record,
    gaps: ["health of 2.0.0: denied", "rules: denied"],
  };
});

describe("a post-mortem's draft", () => {
  it("is this text, whole [B6]", () => {
    expect(postMortem({ hold, record, snapshot, history })).toBe(`# checkout: error-rate (critical) of 2.0.0 at 25 %

Draft, due 2026-01-06T03:04:05.000Z.

- Environment: dev
- Release: 2.0.0 (${v2.digest}), attempt 1
- Hold: error-rate-critical-1, breach, disable to 0 %, 2026-01-05T03:04:05.000Z
- Acknowledged: not yet

## What users saw

To be written: who was affected, how, for how long.

## Timeline (UTC)

| when | exposure | what |
| --- | --- | --- |
| 2026-01-05T02:04:05.000Z | 25 % | observed: a \\| pipe and a line |
| 2026-01-05T03:04:05.000Z | 0 % | rollback: 2.0.0 from 25 % to 0 % |

## What was measured

| alarm | bad when | newest points, oldest first |
| --- | --- | --- |
| tidegate/dev/checkout/2-0-0-1/error-rate/critical/60s | above 5 | 0, 12.35 |

Not read: health of 2.0.0: denied; rules: denied

## Why it happened

To be written: the cause in the release, and why nothing before production showed it.

## What worked, what did not

To be written: detection, rollback, pages, runbook.

## What changes

- To be written: action, owner, date.
`);
  });

  it("says who acknowledged, and why [A4, B6]", () => {
    const acknowledged = { by: "an SRE", reason: "bad query", at: at + minute };
    expect(postMortem({ hold: { ...hold, acknowledged }, record, snapshot, history })).toContain(
      "- Acknowledged: 2026-01-05T03:05:05.000Z by an SRE: bad query\n",
    );
  });

  it("says what it does not have: no snapshot, no history, no points, a release that is gone [B6]", () => {
    const gone = { ...record, releases: {} };
    const text = postMortem({ hold, record: gone, snapshot: undefined, history: [] });
    expect(text).toContain("Nothing is recorded.\n");
    expect(text).toContain("No snapshot was taken.\n");
    expect(text).toContain(`- Release: ${v2.digest} (${v2.digest}), attempt 1\n`);
    const { values: _, ...blind } = snapshot;
    expect(postMortem({ hold, record, snapshot: { ...blind, gaps: [] }, history })).toContain("No alarm had points.\n");
  });

  it("is due a day after the rollback [B6]", () => {
    expect(postMortemDueMilliseconds).toBe(86_400_000);
  });
});
