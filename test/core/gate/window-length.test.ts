/** How long windows are, by traffic and time alone (C1). */
import { describe, expect, it } from "vitest";
import { windowSecondsFor } from "../../../core/gate/window-length.ts";

describe("the windows of a soak", () => {
  it.each<[string, number, number, number, number]>([
    ["a minute of an hour's soak where a minute has 40 requests", 60, 60, 40 / 60, 60],
    ["five minutes where it has not, and ten of them fit", 60, 60, 39 / 60, 300],
    ["a minute all the same where ten do not fit", 10, 49, 15 / 60, 60],
    ["five minutes of a day's soak", 1_440, 1_440, 1, 300],
    ["a quarter of an hour of a day with a request every 20 s", 1_440, 1_440, 1 / 20, 900],
    ["an hour of a day with a request a minute", 1_440, 1_440, 1 / 60, 3_600],
    ["five minutes of a day with next to none: no window helps", 1_440, 1_440, 1 / 600, 300],
    ["the shortest of a soak without a request", 60, 60, 0, 60],
  ])("are %s [C1]", (_what, soakMinutes, lookMinutes, requestsPerSecond, seconds) => {
    expect(windowSecondsFor(soakMinutes, lookMinutes, requestsPerSecond)).toBe(seconds);
  });
});
