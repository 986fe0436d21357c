import { describe, expect, it } from "vitest";
import { readPlace } from "../../cli/place.ts";
import { World } from "../helpers/world.ts";
import { here, Operator, stacksOf } from "./operator.ts";

const listenerArn =
  "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2";
const stacks = stacksOf({
  dev: "config:\n  aws:region: eu-west-1\n  tidegate:environment: dev\n",
  // Wrong where it does not matter here: that must keep nobody from killing.
  prod: `config:\n  aws:region: eu-west-1\n  tidegate:environment: production\n  tidegate:network: { listenerArn: "${listenerArn}" }\n  tidegate:services: 5\n`,
  nowhere: "config:\n  tidegate:environment: dev\n",
  torn: "config: {\n",
  odd: "config:\n  aws:region: [eu-west-1]\n  tidegate:environment: Prod Uction\n",
});

async function placeOf(flags: Parameters<typeof readPlace>[0], operator = new Operator()) {
  const problems: string[] = [];
  return (await readPlace(flags, stacks, operator.outside(), problems)) ?? problems;
}

describe("the place of a command", () => {
  it("comes from a stack's file, an adopted listener included, whatever else is wrong in it", async () => {
    expect(await placeOf({ stack: "prod", profile: "on-call" })).toEqual({
      environment: "production",
      region: "eu-west-1",
      profile: "on-call",
      listener: { arn: listenerArn },
    });
    expect(await placeOf({ stack: "dev" })).toEqual({
      environment: "dev",
      region: "eu-west-1",
      listener: { loadBalancerName: "tidegate-dev" },
    });
  });

  it("looks for the region as the AWS CLI does: flag, stack, AWS_REGION, AWS_DEFAULT_REGION, profile", async () => {
    const operator = new Operator();
    operator.profileRegions.default = "eu-north-1";
    operator.profileRegions["on-call"] = "eu-south-1";
    const region = async (flags: Parameters<typeof readPlace>[0]) => {
      const place = await placeOf(flags, operator);
      return "region" in place ? place.region : place;
    };
    expect(await region({ environment: "dev" })).toBe("eu-north-1");
    expect(await region({ environment: "dev", profile: "on-call" })).toBe("eu-south-1");
    operator.variables = { AWS_DEFAULT_REGION: "us-east-1" };
    expect(await region({ environment: "dev" })).toBe("us-east-1");
    operator.variables = { AWS_DEFAULT_REGION: "us-east-1", AWS_REGION: "us-west-2" };
    expect(await region({ environment: "dev" })).toBe("us-west-2");
    expect(await region({ stack: "nowhere" })).toBe("us-west-2");
    expect(await region({ stack: "dev" })).toBe("eu-west-1");
    expect(await region({ environment: "dev", region: "ap-south-1" })).toBe("ap-south-1");
  });

  it.each([
    [
      "nothing",
      {},
      [
        "--stack: missing; expected the stack, or --environment and --region instead. Pages name environment and region",
        "--region: missing, and no stack file, AWS_REGION, AWS_DEFAULT_REGION or profile says it; expected a region such as eu-west-1. Add --region",
      ],
    ],
    [
      "a region that contradicts the stack",
      { stack: "dev", region: "us-east-1" },
      ['--region: not where stack dev lives, got "us-east-1"; expected "eu-west-1". Leave --region out'],
    ],
    [
      "stack and environment",
      { stack: "dev", environment: "dev" },
      [
        '--environment: says the place a second time, got "dev" beside --stack dev; expected one of them. Leave --environment out',
      ],
    ],
    [
      "names and regions that are none",
      { environment: "Dev!", region: "Ireland" },
      [
        '--environment: not an environment name, got "Dev!"; expected at most 16 characters: lower-case letters, digits and single inner hyphens, starting with a letter',
        '--region: not a region, got "Ireland"; expected a region such as eu-west-1',
      ],
    ],
    [
      "a file with odd values",
      { stack: "odd" },
      [
        'Pulumi.odd.yaml: tidegate:environment: not an environment name, got "Prod Uction"; expected at most 16 characters: lower-case letters, digits and single inner hyphens, starting with a letter',
        "Pulumi.odd.yaml: aws:region: not a region, got a list; expected a region such as eu-west-1",
      ],
    ],
    [
      "a listener that is none",
      { stack: "dev", listener: "shop" },
      [
        '--listener: not the ARN of an application load balancer\'s listener, got "shop"; expected arn:aws:elasticloadbalancing:<region>:<account>:listener/app/<name>/<id>/<id>. Find it with aws elbv2 describe-listeners',
      ],
    ],
    [
      "a stack that is not there",
      { stack: "staging", region: "eu-west-1" },
      ['--stack: unknown stack, got "staging"; expected dev, nowhere, odd, prod, torn. Run it where those files are'],
    ],
  ])("refuses %s", async (_name, flags, problems) => {
    expect(await placeOf(flags)).toEqual(problems);
  });

  it("refuses a file that is no YAML, and says what to type instead", async () => {
    expect(await placeOf({ stack: "torn", region: "eu-west-1" })).toEqual([
      expect.stringMatching(
        /^Pulumi\.torn\.yaml: malformed YAML: .+\. Say the place with --environment and --region instead$/,
      ),
    ]);
  });
});

describe("a command's flags", () => {
  it("has every problem told at once, and nothing is called", async () => {
    const operator = new Operator();
    expect(await operator.run("kill", "--service", "Check Out", "--reason", " ")).toEqual({
      code: 2,
      out: "",
      errors: [
        "tidegate kill: 5 problems, nothing was done:",
        "  --stack: missing; expected the stack, or --environment and --region instead. Pages name environment and region",
        "  --region: missing, and no stack file, AWS_REGION, AWS_DEFAULT_REGION or profile says it; expected a region such as eu-west-1. Add --region",
        '  --service: not a service name, got "Check Out"; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter',
        "  --reason: not a reason in words, got nothing; expected one line of 1 to 256 characters",
        "  --yes: missing, and no terminal to ask on; expected --yes where nobody can answer. Add it",
      ].join("\n"),
    });
    expect(operator.connected).toEqual([]);
  });

  it.each(["kill", "pause", "resume", "acknowledge"])("%s wants a service and a reason", async (command) => {
    expect((await new Operator().run(command, ...here, "--yes")).errors).toBe(
      [
        `tidegate ${command}: 2 problems, nothing was done:`,
        "  --service: missing; expected the name of a service. npx tidegate status lists them",
        '  --reason: missing; expected why, in words: the record keeps it. Add --reason "..."',
      ].join("\n"),
    );
  });

  it("has another command's flags refused", async () => {
    expect(await new Operator().run("pause", ...here, "--to", "x")).toEqual({
      code: 2,
      out: "",
      errors: "error: unknown option '--to'",
    });
  });

  it("connects to the place that was said, with the profile that was said", async () => {
    const operator = new Operator(await new World().rolledOutTo(10));
    const words = ["pause", "--service", "checkout", "--reason", "x", "--yes", "--profile", "on-call"];
    expect((await operator.runIn(stacks, ...words, "--stack", "dev")).code).toBe(0);
    expect(operator.connected).toEqual([
      expect.objectContaining({ environment: "dev", region: "eu-west-1", profile: "on-call" }),
    ]);
  });

  it("is refused where there are no credentials", async () => {
    const operator = new Operator();
    operator.hasCredentials = false;
    expect(await operator.run("status", ...here)).toEqual({
      code: 3,
      out: "",
      errors: "tidegate status: AWS credentials: not found, got none. Nothing was done",
    });
  });
});
