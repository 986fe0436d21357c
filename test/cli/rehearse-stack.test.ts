/** Which stack `rehearse` and `advance` take where none is said, and a foundation whose file is not there (B11, E7). */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readFlags } from "../../cli/rehearse.ts";
import { Operator, stacksOf } from "./operator.ts";

const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
const body = (foundation: string) => `config:
  aws:region: eu-west-1
  tidegate:environment: production
${foundation}
  tidegate:services:
    checkout:
      mode: observe
      listenerArn: ${elb}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2
      match: { paths: ["/*"] }
      priority: 310
      baseline: { version: "1", targetGroupArn: "${elb}:targetgroup/blue/73e2d6bc24d8a067" }
      canary: { version: "2", targetGroupArn: "${elb}:targetgroup/green/73e2d6bc24d8a067" }
      wave: 0
      plan: steady
      objectives: web
      source: alb
`;
const service = body("  tidegate:foundation: shop-org/tidegate/base");
const whole = body("  tidegate:network: { vpcId: vpc-0f1e2d3c4b5a69788 }\n  tidegate:alerting: {}").replace(
  "      listenerArn",
  "      # listenerArn",
);
const alone = whole.replace(
  "{ vpcId: vpc-0f1e2d3c4b5a69788 }",
  `{ vpcId: vpc-0f1e2d3c4b5a69788, listenerArn: "${elb}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2" }`,
);

describe("a command without --stack", () => {
  it("rehearses the only stack that is there [B11]", () => {
    expect(readFlags({}, stacksOf({ prod: alone })).stack).toBe("prod");
    expect(readFlags({}, stacksOf({ prod: alone, dev: alone })).stack).toBe("dev");
    expect(() => readFlags({}, stacksOf({ prod: alone, test: alone }))).toThrow(
      '--stack: unknown stack, got "dev"; expected prod, test. Run it where those files are',
    );
  });

  it("advances nothing, for one reason [B11]", async () => {
    const { code, errors } = await new Operator().runIn(stacksOf({ prod: alone }), "advance");
    expect([code, errors]).toEqual([
      2,
      "tidegate advance: 1 problem, nothing was done:\n  --stack: missing; expected the stack whose file has the waves. Environment and region name no file",
    ]);
  });
});

describe("a foundation without a file here", () => {
  it("is one problem [E7]", () => {
    expect(() => readFlags({ stack: "shop" }, stacksOf({ shop: service }))).toThrow(
      expect.objectContaining({
        message:
          "tidegate rehearse: 1 problem, nothing was run:\n  Pulumi.shop.yaml: tidegate:foundation: its stack has no file here, got shop-org/tidegate/base; expected Pulumi.base.yaml beside it, which says region and network. Copy it here",
      }),
    );
  });
});

describe("the recording in docs/examples", () => {
  it("is a day of requests that a rehearsal takes [B11]", () => {
    const traffic = fileURLToPath(new URL("../../docs/examples/requests.csv", import.meta.url));
    expect(readFlags({ traffic }, stacksOf({ prod: alone })).recorded).toMatchObject({
      intervalSeconds: 1_800,
      rowCount: 48,
      spanSeconds: 86_400,
    });
  });
});
