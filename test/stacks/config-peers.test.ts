/** `tidegate:peers`: regions that share holds. */
import { describe, expect, it } from "vitest";
import { BadInputError } from "../../core/bad-input.ts";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig } from "./config-builders.ts";

function problemsOf(peers: unknown): readonly string[] {
  try {
    parseConfig(aConfig({ peers }));
  } catch (error) {
    if (error instanceof BadInputError) return error.problems;
    throw error;
  }
  return [];
}

describe("peers", () => {
  it("are the other regions, ascending, and none where nothing is said", () => {
    expect(parseConfig(aConfig({ peers: ["us-east-1", "ap-southeast-2"] })).peers).toEqual([
      "ap-southeast-2",
      "us-east-1",
    ]);
    expect(parseConfig(aConfig()).peers).toEqual([]);
  });

  it("are refused by every problem at once [B11]", () => {
    expect(problemsOf(["eu-west-1", "us-east-1", "virginia", "us-east-1"])).toEqual([
      'peers[2]: not a region, got "virginia"; expected a region such as eu-west-1',
    ]);
    expect(problemsOf(["eu-west-1", "us-east-1", "us-east-1"])).toEqual([
      'peers[0]: this stack\'s own region, got "eu-west-1"; expected another region. Name the other regions alone',
      'peers[2]: named twice, got "us-east-1"; expected each region once',
    ]);
    expect(problemsOf("us-east-1")).toEqual(['peers: must be a list, got "us-east-1"; expected a list']);
  });
});
