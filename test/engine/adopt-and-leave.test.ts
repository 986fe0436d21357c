/**
 * Standing in front of a load balancer in production and going away again (E7), with the real engine: after every step everything that is
 * theirs reads as it did before, and a request oracle says that only the adopted service's requests ever went elsewhere.
 * Runs within `npm run test:aws` where `pulumi` is on PATH.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ElasticLoadBalancingV2Client, ModifyRuleCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runCommand } from "../../cli/command.ts";
import { acknowledge, kill } from "../../hooks/commands.ts";
import { AwsBehind } from "./aws-behind.ts";
import { allRules, buildEstate, dumpEstate, type ForeignEstate } from "./foreign-estate.ts";
import { Engine, type EngineRun, engineOnPath } from "./harness.ts";
import { destinations, type SampleRequest } from "./request-oracle.ts";

const region = "eu-central-1";

/** Requests of every rule, and near misses of the adopted one. */
const samples: Readonly<Record<string, SampleRequest>> = {
  checkout: { host: "shop.example.com", path: "/checkout/1" },
  "cart by POST": { host: "SHOP.example.com", path: "/cart/2", method: "POST" },
  "checkout, old path case": { host: "shop.example.com", path: "/Checkout/1" },
  "checkout elsewhere": { host: "www.example.com", path: "/checkout/1" },
  "a legacy client's checkout": { host: "shop.example.com", path: "/checkout/1", headers: { "x-legacy": "yes-2" } },
  search: { host: "shop.example.com", path: "/search/x" },
  "next search": { host: "shop.example.com", path: "/search/x", query: { engine: "next2" } },
  "any POST": { host: "shop.example.com", path: "/", method: "POST" },
  "old, from inside": { host: "shop.example.com", path: "/old/1", source: "10.1.2.3" },
  "old, from outside": { host: "shop.example.com", path: "/old/1" },
  teapot: { host: "anything.example.com", path: "/teapot" },
  "a tester's header": { host: "shop.example.com", path: "/checkout/1", headers: { "X-Tidegate-Canary": "on" } },
  home: { host: "www.example.com", path: "/" },
};
/** Those that the adopted rule gets. */
const adoptedSamples = ["checkout", "cart by POST", "a tester's header"];

/** One team's load balancer, and Tidegate's stack in front of one service of it. */
class Adoption {
  private constructor(
    readonly estate: ForeignEstate,
    readonly aws: AwsBehind,
    readonly engine: Engine,
    private service: Record<string, unknown>,
    readonly before: Awaited<ReturnType<typeof dumpEstate>>,
    private readonly endsBefore: Readonly<Record<string, readonly string[]>>,
  ) {}

  static async of(prefix: string): Promise<Adoption> {
    const estate = await buildEstate(prefix, region);
    const before = await dumpEstate(estate);
    const aws = new AwsBehind(prefix, region);
    const folder = mkdtempSync(join(tmpdir(), "tidegate-adopt-"));
    const config = await initialConfig(estate, prefix, folder);
    rmSync(folder, { recursive: true });
    const engine = await Engine.start({
      config,
      elbv2Endpoint: aws.variables.AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2 ?? "",
      lambdaModule: new URL("hook-module.ts", import.meta.url).pathname,
      env: aws.variables,
    });
    await aws.makeTable();
    const services = Object(config["tidegate:services"]);
    return new Adoption(estate, aws, engine, services.checkout, before, await ends(estate));
  }

  configure(change: Record<string, unknown>): void {
    this.service = Object.fromEntries(
      Object.entries({ ...this.service, ...change }).filter(([, value]) => value !== undefined),
    );
    this.engine.setConfig({ "tidegate:services": { checkout: this.service } });
  }

  get group(): ForeignEstate["groups"] {
    return this.estate.groups;
  }

  /** An `up` with this change of the config, what AWS does about it, and a minute of the hook. */
  async up(change: Record<string, unknown> = {}): Promise<EngineRun> {
    this.configure(change);
    return this.run();
  }

  async run(): Promise<EngineRun> {
    this.engine.forgetCalls();
    const run = await this.engine.up();
    await this.aws.apply(this.engine.calls());
    return run;
  }

  /** Everything of theirs as it was, and nobody's requests but the service's elsewhere than before. */
  async expectOnlyCheckoutMoved(groups: readonly string[]): Promise<void> {
    const now = await dumpEstate(this.estate);
    expect(now.theirs).toEqual(this.before.theirs);
    const expected = Object.fromEntries(
      Object.keys(samples).map((name) => [
        name,
        adoptedSamples.includes(name) ? [...groups].sort() : this.endsBefore[name],
      ]),
    );
    expect(await ends(this.estate)).toEqual(expected);
  }

  async remove(): Promise<void> {
    this.engine.remove();
    await this.aws.removeTable();
  }
}

/** The config that `init` writes. */
async function initialConfig(
  estate: ForeignEstate,
  prefix: string,
  directory: string,
): Promise<Record<string, unknown>> {
  const problems: string[] = [];
  const variables = { AWS_REGION: process.env.AWS_REGION };
  process.env.AWS_REGION = region;
  const answers = ["--service", "checkout", "--environment", prefix, "--rule", estate.rules[200] ?? ""];
  const releases = [
    "--baseline-version",
    "2.3.1",
    "--canary-group",
    `${prefix}-checkout-green`,
    "--canary-version",
    "2.4.0",
  ];
  const code = await runCommand(["init", ...answers, ...releases, "--email", "sre@example.com", "--yes"], {
    out: () => {},
    error: (text) => problems.push(text),
    directory,
    colours: false,
  });
  process.env.AWS_REGION = variables.AWS_REGION;
  expect([code, problems]).toEqual([0, []]);
  return parse(readFileSync(join(directory, "Pulumi.prod.yaml"), "utf8")).config;
}

async function ends(estate: ForeignEstate): Promise<Record<string, readonly string[]>> {
  const rules = await allRules(new ElasticLoadBalancingV2Client({ region }), estate.listenerArn);
  return Object.fromEntries(Object.entries(samples).map(([name, request]) => [name, destinations(rules, request)]));
}

describe.skipIf(!engineOnPath())("adopting and leaving again", { timeout: 600_000 }, () => {
  let adoption: Adoption;
  const said = { by: "test", reason: "the test says so" };

  beforeAll(async () => {
    adoption = await Adoption.of("leave");
  }, 60_000);
  afterAll(() => adoption?.remove());

  it("starts from a load balancer where the service's requests go to its old group [E7]", async () => {
    const { "checkout-blue": blue } = adoption.group;
    expect(adoption.before.ours).toEqual([]);
    await adoption.expectOnlyCheckoutMoved([blue]);
  });

  it("observes without moving a request or touching what is theirs [E7, B13]", async () => {
    const preview = await adoption.engine.preview();
    expect(preview.errors).toBe("");
    await adoption.expectOnlyCheckoutMoved([adoption.group["checkout-blue"]]);
    const up = await adoption.run();
    expect(up.errors).toBe("");
    const foreign = ["aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener", "aws:lb/targetGroup:TargetGroup"];
    expect(up.steps.filter(({ type }) => foreign.includes(type))).toEqual([]);
    await adoption.expectOnlyCheckoutMoved([adoption.group["checkout-blue"]]);
    expect((await dumpEstate(adoption.estate)).ours).not.toEqual([]);
    await adoption.aws.minute();
    await adoption.expectOnlyCheckoutMoved([adoption.group["checkout-blue"]]);
  });

  it("acts, opens waves and rolls back, and only the service's own requests move [E7]", async () => {
    const { "checkout-blue": blue, "checkout-green": green } = adoption.group;
    expect((await adoption.up({ mode: "act" })).errors).toBe("");
    await adoption.expectOnlyCheckoutMoved([blue]);
    await adoption.aws.minute();
    expect((await adoption.up({ wave: 10 })).errors).toBe("");
    await adoption.expectOnlyCheckoutMoved([blue, green]);

    await kill(adoption.aws.ports, "checkout", said);
    await adoption.expectOnlyCheckoutMoved([blue]);
    expect((await adoption.run()).errors).toBe("");
    await adoption.expectOnlyCheckoutMoved([blue]);

    await acknowledge(adoption.aws.ports, "checkout", said);
    await adoption.aws.minute();
    expect((await adoption.up({ attempt: 2 })).errors).toBe("");
    await adoption.expectOnlyCheckoutMoved([blue, green]);
  });

  it("is abandoned, retired and removed, and leaves the load balancer as it was found [E7]", async () => {
    const { "checkout-blue": blue } = adoption.group;
    expect((await adoption.up({ wave: 0 })).errors).toBe("");
    await adoption.expectOnlyCheckoutMoved([blue]);
    await adoption.aws.minute();
    expect((await adoption.up({ canary: undefined, wave: undefined, attempt: undefined })).errors).toBe("");
    await adoption.expectOnlyCheckoutMoved([blue]);
    expect((await adoption.up({ retire: true })).errors).toBe("");
    await adoption.expectOnlyCheckoutMoved([blue]);
    adoption.engine.setConfig({ "tidegate:services": {} });
    expect((await adoption.run()).errors).toBe("");
    await adoption.expectOnlyCheckoutMoved([blue]);
    expect(await dumpEstate(adoption.estate)).toEqual(adoption.before);
  });
});

describe.skipIf(!engineOnPath())("leaving after a finished rollout", { timeout: 900_000 }, () => {
  let adoption: Adoption;

  beforeAll(async () => {
    adoption = await Adoption.of("finished");
  }, 60_000);
  afterAll(() => adoption?.remove());

  it("is refused while their rule still names the old release, and leaves their rule as they changed it [E7]", async () => {
    const { "checkout-blue": blue, "checkout-green": green } = adoption.group;
    const overrideReason = "the test does not soak";
    const first = await adoption.up({ mode: "act", overrideReason });
    expect(first.errors).toBe("");
    for (const wave of [10, 25, 50, 100]) {
      await adoption.aws.minute();
      expect((await adoption.up({ wave })).errors).toBe("");
      await adoption.expectOnlyCheckoutMoved(wave === 100 ? [green] : [blue, green]);
    }
    await adoption.aws.minute();
    const baseline = { version: "2.4.0", targetGroupArn: green };
    expect((await adoption.up({ baseline, canary: undefined, wave: undefined })).errors).toBe("");
    await adoption.expectOnlyCheckoutMoved([green]);

    const trap = await adoption.up({ retire: true, overrideReason: undefined });
    expect(trap.exitCode).not.toBe(0);
    expect(trap.errors).toContain(
      "services.checkout.retire: once our rules are gone, the rule at 200 (host shop.example.com and path /checkout/* or /cart/*) gets requests of this service and forwards to finished-checkout-blue, got baseline 2.4.0 on finished-checkout-green; expected a rule that forwards to finished-checkout-green alone. Change that rule first, or say overrideReason",
    );
    await adoption.expectOnlyCheckoutMoved([green]);

    await new ElasticLoadBalancingV2Client({ region }).send(
      new ModifyRuleCommand({
        RuleArn: adoption.estate.rules[200],
        Actions: [{ Type: "forward", TargetGroupArn: green }],
      }),
    );
    const changed = await dumpEstate(adoption.estate);
    expect((await adoption.run()).errors).toBe("");
    adoption.engine.setConfig({ "tidegate:services": {} });
    expect((await adoption.run()).errors).toBe("");
    const left = await dumpEstate(adoption.estate);
    expect(left.theirs).toEqual(changed.theirs);
    expect(left.ours).toEqual([]);
    const rules = await allRules(new ElasticLoadBalancingV2Client({ region }), adoption.estate.listenerArn);
    expect(destinations(rules, samples.checkout ?? { host: "", path: "" })).toEqual([green]);
  });
});
