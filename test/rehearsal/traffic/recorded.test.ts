import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BadInputError } from "../../../core/bad-input.ts";
import { parseRecordedTraffic } from "../../../rehearsal/traffic/recorded.ts";

function problemsOf(text: string, scale?: number): readonly string[] {
  try {
    parseRecordedTraffic(text, { place: "t.csv", ...(scale === undefined ? {} : { scale }) });
  } catch (error) {
    expect(error).toBeInstanceOf(BadInputError);
    return error instanceof BadInputError ? error.problems : [];
  }
  throw new Error("the file was taken");
}

const good =
  "timestamp,value\n2014-04-10 00:00:00,300\n2014-04-10T00:05:00Z,0\n2014-04-10 00:15:00,60.0\n2014-04-10 00:20:00,30\n";

describe("recorded traffic", () => {
  it("is a rate over time, held over gaps and repeated from the start [E3]", () => {
    const recorded = parseRecordedTraffic(good, { place: "t.csv" });
    const minutes = (count: number) => recorded.rateAt(count * 60_000);
    expect(recorded).toMatchObject({ intervalSeconds: 300, rowCount: 4, spanSeconds: 1_500, meanRatePerSecond: 0.26 });
    expect([0, 4.99, 5, 14.99, 15, 20, 24.99, 25, 30].map(minutes)).toEqual([1, 1, 0, 0, 0.2, 0.1, 0.1, 1, 0]);
  });

  it("is unscaled unless told [E3]", () => {
    const recorded = parseRecordedTraffic(good, { place: "t.csv", scale: 250 });
    expect([recorded.rateAt(0), recorded.meanRatePerSecond]).toEqual([250, 65]);
  });

  it("takes a byte order mark and line ends of any system [E3]", () => {
    const text = `\uFEFF${good.replaceAll("\n", "\r\n")}`;
    expect(parseRecordedTraffic(text, { place: "t.csv" }).rowCount).toBe(4);
  });
});

describe("a recording that cannot be used", () => {
  it("lists every problem with its line at once [E3]", () => {
    const text = [
      "timestamp,value",
      "2014-04-10 00:00:00,1",
      "2014-04-10 00:05:00,-1",
      "2014-04-10 00:04:00,2",
      "2014-04-10 00:10:00,NaN",
      "2014-02-31 00:15:00,4",
      "",
      "10 April,5",
      "2014-04-10 00:20:00",
      "2014-04-10 00:25:00,",
      "2014-04-10 00:25:00,Infinity",
    ].join("\n");
    expect(problemsOf(text, 0)).toEqual([
      "--scale: not a factor, got 0; expected a number above 0",
      "t.csv line 3: value is no count, got -1; expected a number from 0",
      "t.csv line 4: timestamp does not rise, got 2014-04-10 00:04:00; expected one after 2014-04-10 00:05:00",
      "t.csv line 5: value is no count, got NaN; expected a number from 0",
      "t.csv line 6: timestamp cannot be read, got 2014-02-31 00:15:00; expected 2014-04-10 00:04:00, UTC",
      "t.csv line 8: timestamp cannot be read, got 10 April; expected 2014-04-10 00:04:00, UTC",
      "t.csv line 9: wrong number of columns, got 1; expected 2: timestamp,value",
      "t.csv line 10: value is no count, got nothing; expected a number from 0",
      "t.csv line 11: timestamp does not rise, got 2014-04-10 00:25:00; expected one after 2014-04-10 00:25:00",
      "t.csv line 11: value is no count, got Infinity; expected a number from 0",
    ]);
  });

  it("names a missing header and too few rows [E3]", () => {
    expect(problemsOf("2014-04-10 00:00:00,1\n2014-04-10 00:05:00,x\n")).toEqual([
      "t.csv line 1: no header, got 2014-04-10 00:00:00,1; expected timestamp,value",
      "t.csv line 2: value is no count, got x; expected a number from 0",
    ]);
    expect(problemsOf("")).toEqual([
      "t.csv line 1: no header, got nothing; expected timestamp,value",
      "t.csv: too few rows to tell the interval, got 0; expected 2 or more",
    ]);
  });

  it("names malformed CSV [E3]", () => {
    expect(problemsOf('timestamp,value\n"2014-04-10 00:00:00,1\n')[0]).toMatch(
      /^t\.csv: malformed CSV, Quote Not Closed/,
    );
  });
});

const seriesPath = new URL("../../../../shared/data/nab/elb_request_count_8c0756.csv", import.meta.url);

describe("the recorded load balancer", () => {
  it("averages 0.2 requests a second over fourteen days with eight rows missing [E3]", () => {
    if (!existsSync(seriesPath)) {
      console.info("not run: the recorded series is not beside the project (shared/data/nab)");
      return;
    }
    const recorded = parseRecordedTraffic(readFileSync(seriesPath, "utf8"), { place: "elb.csv" });
    expect([recorded.intervalSeconds, recorded.rowCount, recorded.spanSeconds]).toEqual([300, 4_032, 1_212_000]);
    expect(recorded.meanRatePerSecond).toBeCloseTo(0.206, 3);
  });
});
