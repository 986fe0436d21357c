/**
 * `tidegate init` against a load balancer on an emulator: the real command line in a folder of its own, what it looks up, what it
 * writes, and that it changes nothing. What is adopted and left again is `test/engine/adopt-and-leave.test.ts`.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AddTagsCommand,
  DeregisterTargetsCommand,
  ElasticLoadBalancingV2Client,
  ModifyListenerCommand,
  ModifyLoadBalancerAttributesCommand,
  ModifyRuleCommand,
  ModifyTargetGroupAttributesCommand,
  SetRulePrioritiesCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../cli/command.ts";
import { readStackFile } from "../../stacks/config.ts";
import { allRules, buildEstate, dumpEstate, type ForeignEstate } from "../engine/foreign-estate.ts";
import { destinations } from "../engine/request-oracle.ts";

const region = "sa-east-1";
let estate: ForeignEstate;
let before: Awaited<ReturnType<typeof dumpEstate>>;
const folders: string[] = [];
const usualRegion = process.env.AWS_REGION;

async function init(...words: string[]) {
  const directory = mkdtempSync(join(tmpdir(), "tidegate-init-"));
  folders.push(directory);
  const [out, error]: [string[], string[]] = [[], []];
  const code = await runCommand(["init", "--region", region, ...words], {
    out: (text) => out.push(text),
    error: (text) => error.push(text),
    directory,
    colours: false,
  });
  return { code, out: out.join("\n"), error: error.join("\n"), directory };
}

const answers = ["--service", "checkout", "--environment", "init-aws", "--baseline-version", "2.3.1"];
const canary = ["--canary-group", "init-checkout-green", "--canary-version", "2.4.0"];
const said = [...answers, ...canary, "--email", "sre@example.com", "--yes"];

beforeAll(async () => {
  process.env.AWS_REGION = region;
  estate = await buildEstate("init", region);
  before = await dumpEstate(estate);
}, 60_000);
afterAll(() => {
  if (usualRegion !== undefined) process.env.AWS_REGION = usualRegion;
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

describe("init on an emulated load balancer", { timeout: 60_000 }, () => {
  it("finds the only listener and its rules, and lists them where nobody is there to choose [E7]", async () => {
    const { code, error } = await init(...answers, "--canary-group", "none", "--email", "none", "--yes");
    expect(code).toBe(2);
    expect(error).toBe(`tidegate init: 1 problem, nothing was written:
  --rule: missing; expected priority or ARN of a rule of the listener, or default
    20: header X-Legacy: yes* → init-legacy
    100: host shop.example.com and path /search/* and query engine=next* → init-search 80 : init-web 20
    200: host shop.example.com and path /checkout/* or /cart/* → init-checkout-blue
    201: host shop.example.com and method POST → init-api
    300: path /old/* and source 10.0.0.0/8 → redirect
    400: path /teapot → fixed-response
    default: everything else → init-web`);
  });

  it("writes what the program takes, and changes nothing in the account [E7]", async () => {
    const { code, error, directory } = await init("--rule", "200", ...said);
    expect([code, error]).toEqual([0, ""]);
    expect(readdirSync(directory).sort()).toEqual(["Pulumi.prod.yaml", "Pulumi.yaml", "package.json"]);
    const { config } = readStackFile(join(directory, "Pulumi.prod.yaml"));
    expect(config.network).toMatchObject({ vpcId: estate.vpcId, listenerArn: estate.listenerArn });
    expect(config.services[0]?.routes).toEqual([
      { match: { hosts: [], paths: [], ruleArn: estate.rules[200] }, priority: 197 },
    ]);
    expect(config.services[0]?.baseline.targetGroupArn).toBe(estate.groups["checkout-blue"]);
    expect(await dumpEstate(estate)).toEqual(before);
  });

  it("refuses a rule that splits its requests, in the words of the program [E7]", async () => {
    const { code, error, directory } = await init("--rule", "100", ...said);
    expect(code).toBe(3);
    expect(error).toContain(
      "services.checkout.match.ruleArn: splits its requests itself, got the rule at 100 (host shop.example.com and path /search/* and query engine=next*), which forwards to init-search (weight 80) and init-web (weight 20); expected one group with weight",
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  it("refuses a load balancer that an Ingress manages, with the way out [E7]", async () => {
    const elb = new ElasticLoadBalancingV2Client({ region });
    const managed = await buildEstate("eks", region);
    const Tags = [
      { Key: "elbv2.k8s.aws/cluster", Value: "shop" },
      { Key: "ingress.k8s.aws/stack", Value: "default/web" },
      { Key: "ingress.k8s.aws/resource", Value: "LoadBalancer" },
    ];
    await elb.send(new AddTagsCommand({ ResourceArns: [managed.loadBalancerArn], Tags }));
    const rule = managed.rules[200] ?? "";
    const { code, error } = await init(
      "--rule",
      rule,
      ...answers,
      "--canary-group",
      "none",
      "--email",
      "none",
      "--yes",
    );
    expect(code).toBe(3);
    expect(error).toContain("written by a controller, which would undo every weight");
    expect(error).toContain("TargetGroupBinding");
  });

  it("refuses a canary group that hangs on another load balancer [E7]", async () => {
    const other = await buildEstate("other", region);
    // The group of its default action: the emulator knows of no other attachments.
    const group = ["--canary-group", other.groups.web, "--canary-version", "2.4.0"];
    const rule = ["--rule", estate.rules[200] ?? ""];
    const { code, error } = await init(...rule, ...answers, ...group, "--email", "none", "--yes");
    expect(code).toBe(2);
    expect(error).toContain(`--canary-group: not alike, or on another load balancer, got "${other.groups.web}"`);
  });
});

describe("what says that a load balancer is as it was found", { timeout: 60_000 }, () => {
  it("notices every kind of change [E7]", async () => {
    const elb = new ElasticLoadBalancingV2Client({ region });
    const there = await buildEstate("dump", region);
    const { groups, rules, listenerArn, loadBalancerArn } = there;
    const forward = [{ Type: "forward" as const, TargetGroupArn: groups.api }];
    const delay = { Key: "deregistration_delay.timeout_seconds", Value: "7" };
    const changes: Readonly<Record<string, () => Promise<unknown>>> = {
      "a tag": () =>
        elb.send(new AddTagsCommand({ ResourceArns: [rules[20] ?? ""], Tags: [{ Key: "a", Value: "b" }] })),
      "an action": () => elb.send(new ModifyRuleCommand({ RuleArn: rules[100], Actions: forward })),
      "a priority": () =>
        elb.send(new SetRulePrioritiesCommand({ RulePriorities: [{ RuleArn: rules[400], Priority: 401 }] })),
      "a default action": () =>
        elb.send(new ModifyListenerCommand({ ListenerArn: listenerArn, DefaultActions: forward })),
      "a group's attribute": () =>
        elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: groups.web, Attributes: [delay] })),
      "a target": () =>
        elb.send(
          new DeregisterTargetsCommand({ TargetGroupArn: groups.web, Targets: [{ Id: "172.31.0.1", Port: 8_080 }] }),
        ),
      "a load balancer's attribute": () =>
        elb.send(
          new ModifyLoadBalancerAttributesCommand({
            LoadBalancerArn: loadBalancerArn,
            Attributes: [{ Key: "idle_timeout.timeout_seconds", Value: "61" }],
          }),
        ),
    };
    for (const [what, change] of Object.entries(changes)) {
      const was = await dumpEstate(there);
      await change();
      expect([what, JSON.stringify(await dumpEstate(there)) === JSON.stringify(was)]).toEqual([what, false]);
    }
  });

  it("knows where a request goes: the first rule whose conditions all hold [E7]", async () => {
    const rules = await allRules(new ElasticLoadBalancingV2Client({ region }), estate.listenerArn);
    const { groups } = estate;
    const shop = "shop.example.com";
    const ends = (request: Parameters<typeof destinations>[1]) => destinations(rules, request);
    expect(ends({ host: "SHOP.example.com", path: "/checkout/1" })).toEqual([groups["checkout-blue"]]);
    expect(ends({ host: shop, path: "/Checkout/1" })).toEqual([groups.web]);
    expect(ends({ host: shop, path: "/checkout/1", headers: { "x-legacy": "YES" } })).toEqual([groups.legacy]);
    expect(ends({ host: shop, path: "/search/1", query: { engine: "next" } })).toEqual(
      [groups.search, groups.web].sort(),
    );
    expect(ends({ host: shop, path: "/search/1", query: { engine: "old" }, method: "POST" })).toEqual([groups.api]);
    expect(ends({ host: shop, path: "/old/1", source: "10.255.0.1" })).toEqual(["redirect"]);
    expect(ends({ host: shop, path: "/old/1", source: "11.0.0.1" })).toEqual([groups.web]);
    expect(ends({ host: shop, path: "/teapot" })).toEqual(["fixed-response"]);
  });
});
