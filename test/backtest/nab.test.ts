/**
 * Recorded series with labelled windows, of the Numenta Anomaly Benchmark (E4). The oracle judges one rule, two windows of five minutes of
 * which one must be bad, by itself: it reads the file, the clock and the comparison with no code of the product.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { folderWith, runBacktest } from "./recordings.ts";

const folder = fileURLToPath(new URL("../../../shared/data/nab/", import.meta.url));
const labels = `${folder}windows.json`;

function isHere(): boolean {
  if (existsSync(labels)) return true;
  console.info("not run: the recorded series are not beside the project (shared/data/nab)");
  return false;
}

interface Firing {
  readonly from: string;
  readonly to?: string;
}

/** When an alarm would ring that looks at the newest two of the last four windows there are, every minute; points arrive 10 s late. */
function oracle(file: string, isBad: (value: number) => boolean): Firing[] {
  const byTime = new Map<number, Set<number>>();
  for (const line of readFileSync(`${folder}${file}`, "utf8").trim().split(/\r?\n/).slice(1)) {
    const [time = "", value = ""] = line.split(",");
    const at = Date.UTC(
      ...(time
        .split(/[- :]/)
        .map(Number)
        .map((part, index) => (index === 1 ? part - 1 : part)) as [number, number, number, number, number, number]),
    );
    byTime.set(at, (byTime.get(at) ?? new Set()).add(Number(value)));
  }
  const valueOfEnd = new Map<number, number>();
  for (const [at, values] of byTime) {
    const [only, ...others] = values;
    if (only !== undefined && others.length === 0) valueOfEnd.set(at + 300_000, only);
  }
  const ends = [...valueOfEnd.keys()].sort((left, right) => left - right);
  const [first = 0, last = 0] = [ends[0], ends.at(-1)];
  const firings: { from: string; to?: string }[] = [];
  let rings = false;
  for (let now = first - 300_000; now <= last; now += 60_000) {
    const newest: number[] = [];
    for (let window = 0; window < 4 && newest.length < 2; window += 1) {
      for (let end = now - 300_000 * window; end > now - 300_000 * (window + 1); end -= 60_000) {
        const value = valueOfEnd.get(end);
        if (value !== undefined && end + 10_000 <= now) newest.push(value);
      }
    }
    const bad = newest.slice(0, 2).some(isBad);
    if (bad && !rings) firings.push({ from: new Date(now).toISOString() });
    const ringing = firings.at(-1);
    if (!bad && rings && ringing) ringing.to = new Date(now).toISOString();
    rings = bad;
  }
  return firings;
}

interface Shown {
  readonly alarms: readonly {
    readonly falseAlarms: number;
    readonly firings: readonly (Firing & { readonly window?: number })[];
    readonly windows: readonly unknown[];
    readonly suggestion: Readonly<Record<string, unknown>>;
  }[];
}

async function shownOf(objectives: string, ...words: string[]): Promise<Shown> {
  const ran = await runBacktest(
    folderWith({ "objectives.yaml": objectives }),
    "--objectives",
    "objectives.yaml",
    "--source",
    "emf",
    "--zone",
    "utc",
    "--json",
    ...words,
  );
  expect(ran.error).toBe("");
  return JSON.parse(ran.out);
}

const bare = (firings: readonly (Firing & { readonly window?: number })[]) =>
  firings.map(({ window: _, ...firing }) => firing);

describe("a server's load until it failed", () => {
  const file = "ec2_request_latency_system_failure.csv";
  const load = async (bound: number) =>
    (
      await shownOf(
        `- { indicator: cpu, critical: { above: ${bound}%, response: freeze, window: 5m } }`,
        "--series",
        `${folder}${file}`,
        "--map",
        "cpu:percent=value",
        "--labels",
        labels,
      )
    ).alarms[0];

  it("rings where the load passes 60 % and nowhere else, and says which window was missed [E4]", async () => {
    if (!isHere()) return;
    const alarm = await load(60);
    expect(alarm?.firings).toEqual([
      { from: "2014-03-18T22:42:00.000Z", to: "2014-03-18T22:57:00.000Z", window: 1 },
      { from: "2014-03-21T03:42:00.000Z", window: 2 },
    ]);
    expect(alarm?.falseAlarms).toBe(0);
    expect(alarm?.windows).toEqual([
      { kind: "missed" },
      { kind: "seen", delaySeconds: 20_160 },
      { kind: "seen", delaySeconds: 22_560 },
    ]);
    expect(bare(alarm?.firings ?? [])).toEqual(oracle(file, (value) => value > 60));
  });

  it("agrees with an oracle of one rule at bounds that ring often [E4]", async () => {
    if (!isHere()) return;
    for (const bound of [47, 50, 52]) {
      expect(bare((await load(bound))?.firings ?? [])).toEqual(oracle(file, (value) => value > bound));
    }
  });

  it("suggests the lowest bound without a false alarm in two thirds, and tells of the third that was held out [E4]", async () => {
    if (!isHere()) return;
    expect((await load(60))?.suggestion).toMatchObject({
      kind: "suggested",
      bound: 52,
      quantiles: { p50: 45.97, worst: 51.972 },
      fitted: { falseAlarms: 0 },
      heldOut: { falseAlarms: 0 },
      holds: true,
      windowsSeen: 2,
    });
  });
});

describe("requests at a load balancer", () => {
  const file = "elb_request_count_8c0756.csv";

  it("rings as an oracle of one rule says, above a count [E4]", async () => {
    if (!isHere()) return;
    const { alarms } = await shownOf(
      "- { indicator: rate-limit-rejects, critical: { above: 60/min, response: freeze, window: 5m } }",
      "--series",
      `${folder}${file}`,
      "--map",
      "rate-limit-rejects:count=value",
      "--labels",
      labels,
    );
    expect(bare(alarms[0]?.firings ?? [])).toEqual(oracle(file, (value) => value > 300));
    expect(alarms[0]?.firings.length).toBeGreaterThan(3);
  });

  it("rings as an oracle of one rule says, below a throughput [E4]", async () => {
    if (!isHere()) return;
    const lines = readFileSync(`${folder}${file}`, "utf8").trim().split(/\r?\n/);
    const seconds = ["timestamp,seconds", ...lines.slice(1).map((line) => `${line.split(",")[0]},300`)].join("\n");
    const objectives = "- { indicator: throughput, critical: { below: 0.008/s, response: freeze, window: 5m } }";
    const { alarms } = await shownOf(
      objectives,
      "--series",
      `${folder}${file}`,
      join(folderWith({ "seconds.csv": seconds }), "seconds.csv"),
      "--map",
      "items-processed:count=value",
      "processing-seconds:count=seconds",
    );
    expect(bare(alarms[0]?.firings ?? [])).toEqual(oracle(file, (value) => value / 300 < 0.008));
    expect(alarms[0]?.firings.length).toBeGreaterThan(3);
  });
});
