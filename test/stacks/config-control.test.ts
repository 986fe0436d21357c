/** The control in the stack config: made or adopted, and nothing else's group (B1, E7). */
import { describe, expect, it } from "vitest";
import { checkAcross } from "../../stacks/config/across.ts";
import { readControl } from "../../stacks/config/control.ts";
import { Problems } from "../../stacks/config/problems.ts";

const arn = (name: string) =>
  `arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/${name}/0123456789abcdef`;
const path = ["services", "checkout", "control"];

function read(raw: unknown) {
  const problems = new Problems();
  return { control: readControl(raw, path, problems), problems: problems.texts };
}

describe("control", () => {
  it("is made by the program, adopted, or not there [B1]", () => {
    expect(read({})).toEqual({ control: {}, problems: [] });
    expect(read({ targetGroupArn: arn("fresh") })).toEqual({
      control: { targetGroupArn: arn("fresh") },
      problems: [],
    });
    expect(read(undefined)).toEqual({ control: undefined, problems: [] });
  });

  it("refuses what is no ARN and keys that it does not know, all at once [B11]", () => {
    const { control, problems } = read({ targetGroupArn: "fresh", weight: 10 });
    expect(control).toBeUndefined();
    expect(problems.length).toBe(2);
    expect(problems.join("\n")).toContain("services.checkout.control.targetGroupArn: not a target group ARN");
    expect(problems.join("\n")).toContain("weight");
  });

  it("refuses a group that a release has, of this service or of another [A3, E7]", () => {
    const release = (name: string) => ({ digest: `${arn(name)}#1`, version: "1", targetGroupArn: arn(name) });
    const problems = new Problems();
    checkAcross(
      [
        { path: ["services", "cart"], routes: [], baseline: release("cart") },
        {
          path: ["services", "checkout"],
          routes: [],
          baseline: release("blue"),
          control: { targetGroupArn: arn("blue") },
        },
        {
          path: ["services", "search"],
          routes: [],
          baseline: release("red"),
          control: { targetGroupArn: arn("cart") },
        },
      ],
      { alerting: { email: [], runbooks: "docs/runbooks" } },
      problems,
    );
    const wayOut =
      "expected a target group of its own for each release. Give the other release's ARN, or leave it out and the program makes one";
    expect(problems.texts).toEqual([
      `services.checkout.control.targetGroupArn: the same target group as services.checkout.baseline.targetGroupArn, got "${arn("blue")}"; ${wayOut}`,
      `services.search.control.targetGroupArn: the same target group as services.cart.baseline.targetGroupArn, got "${arn("cart")}"; ${wayOut}`,
    ]);
  });
});
