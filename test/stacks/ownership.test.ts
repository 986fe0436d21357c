import { describe, expect, it } from "vitest";
import type { RolloutRecord } from "../../core/record.ts";
import { parseConfig } from "../../stacks/config.ts";
import { type OwnStack, ownershipProblems } from "../../stacks/ownership.ts";
import { aFullRecord } from "../contract/a-record.ts";
import { MemoryCloud } from "../helpers/memory-ports.ts";
import { aConfig, aService } from "./config-builders.ts";

const shop = "example/tidegate/shop";
const base = "example/tidegate/base";
const { retiredAt: _retired, declaredBy: _declared, ...live } = aFullRecord({ environment: "dev" });

function scene({
  records = {},
  config = {},
  services,
  own = {},
}: {
  records?: Record<string, Partial<RolloutRecord>>;
  config?: Record<string, unknown>;
  services?: Record<string, unknown>;
  own?: Partial<OwnStack>;
} = {}) {
  const cloud = new MemoryCloud(0);
  for (const [service, changes] of Object.entries(records)) {
    cloud.records.set(service, JSON.stringify({ ...live, service, ...changes }));
  }
  const stack: OwnStack = {
    stackId: shop,
    foundationStack: base,
    previousServices: [],
    ownRuleArns: async () => new Set(),
    ...own,
  };
  const judge = () => ownershipProblems(parseConfig(aConfig(config, services)), stack, cloud.ports("up"));
  return { cloud, judge };
}

describe("ownership of services [E7]", () => {
  it("lets through new services and those that this stack declares", async () => {
    expect(await scene().judge()).toEqual([]);
    expect(await scene({ records: { checkout: { declaredBy: shop } } }).judge()).toEqual([]);
  });

  it("gives records that name nobody to the stack with the foundation", async () => {
    const records = { checkout: {} };
    expect(await scene({ records, own: { stackId: base } }).judge()).toEqual([]);
    expect(await scene({ records }).judge()).toEqual([
      `services.checkout: another stack declares it, got ${base} in its record; expected ${shop}. Take it out here; to move it, see docs/decisions/0013 (takeOver: { checkout: ${base} })`,
    ]);
  });

  it("leaves services of other stacks and other environments alone", async () => {
    const records = {
      checkout: { declaredBy: shop },
      search: { declaredBy: "example/tidegate/search" },
      basket: {},
      orders: { declaredBy: shop, environment: "prod" },
      billing: { declaredBy: shop, retiredAt: 1 },
    };
    expect(await scene({ records }).judge()).toEqual([]);
  });

  it("refuses to lose a live service of its own, the last one too", async () => {
    const lost =
      "services.basket: is live but no longer in the config (removed or renamed?); put it back with retire: true, run up, then remove it";
    expect(await scene({ records: { basket: { declaredBy: shop } } }).judge()).toEqual([lost]);
    expect(await scene({ records: { basket: { declaredBy: shop } }, services: {} }).judge()).toEqual([lost]);
    expect(await scene({ records: { basket: {} }, services: {}, own: { stackId: base } }).judge()).toEqual([lost]);
  });

  it("refuses to drop what its last up declared while records cannot be read", async () => {
    const unread = (name: string) =>
      `services.${name}: no longer in the config, and its record, which may say that it is live, cannot be read; put it back, or run up again once it can`;
    const ports = scene({ records: { basket: {}, search: {} } }).cloud.ports("up");
    const own = { stackId: shop, foundationStack: base, ownRuleArns: async () => new Set<string>() };
    const judge = (records: Partial<typeof ports.records>) =>
      ownershipProblems(
        parseConfig(aConfig()),
        { ...own, previousServices: ["basket", "checkout"] },
        { ...ports, records: { ...ports.records, ...records } },
      );
    expect(await judge({ read: () => Promise.reject(new Error("newer schema")) })).toEqual([unread("basket")]);
    expect(await judge({ list: () => Promise.reject(new Error("no answer")) })).toEqual([unread("basket")]);
  });
});

describe("a service whose record cannot be read [E7]", () => {
  const judge = (previousServices: string[]) => {
    const ports = scene().cloud.ports("up");
    const own = { stackId: shop, foundationStack: base, previousServices, ownRuleArns: async () => new Set<string>() };
    const records = { ...ports.records, read: () => Promise.reject(new Error("access denied")) };
    return ownershipProblems(parseConfig(aConfig()), own, { ...ports, records });
  };

  it("is refused where this stack did not declare it, and else goes on at what is live", async () => {
    expect(await judge([])).toEqual([
      "services.checkout: its record cannot be read (access denied), and this stack's last up did not declare it, so another stack may; expected a readable record. Take it out here, or run up again once it can be read",
    ]);
    expect(await judge(["checkout"])).toEqual([]);
  });
});

describe("listeners that the foundation no longer grants [E7]", () => {
  const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
  const listener = `${elb}:listener/app/other/0123456789abcdef/0123456789abcdef`;
  const rules = live.rules.map((rule) => ({
    ...rule,
    arn: `${elb}:listener-rule/app/other/0123456789abcdef/0123456789abcdef/${rule.role}`,
  }));
  const records = { basket: { rules, declaredBy: shop } };
  const { vpcId, subnetIds } = parseConfig(aConfig()).network;
  const naming = (...moreListenerArns: string[]) => ({
    network: { vpcId, subnetIds: [...subnetIds], moreListenerArns },
  });

  it("are refused while a live service of whatever stack has rules there", async () => {
    const refusal = `network.moreListenerArns: rules of basket hang on listener ${listener}, which neither a service here nor this list names any more: the hook could not lower them; expected the listener granted while they are live. Put it in the list; it may go once they are retired or elsewhere`;
    expect(await scene({ records, own: { stackId: base } }).judge()).toEqual([refusal]);
    const config = naming(`${elb}:listener/app/third/0123456789abcdef/0123456789abcdef`);
    expect(await scene({ records, config, own: { stackId: base } }).judge()).toEqual([refusal]);
  });

  it("go with the services, and are no matter of a stack of services", async () => {
    const own = { stackId: base };
    expect(await scene({ records, config: naming(listener), own }).judge()).toEqual([]);
    expect(await scene({ records: { basket: { rules, declaredBy: shop, retiredAt: 1 } }, own }).judge()).toEqual([]);
    expect(await scene({ records, own: { stackId: "example/tidegate/search" } }).judge()).toEqual([]);
    const ours = rules.map((rule) => ({ ...rule, arn: rule.arn.replace("app/other", "app/tidegate-dev") }));
    expect(await scene({ records: { basket: { rules: ours, declaredBy: shop } }, own }).judge()).toEqual([]);
  });
});

describe("taking a service over [E7]", () => {
  const records = { checkout: { declaredBy: base } };
  const takeOver = { checkout: base };

  it("goes through once all of its rules are in this stack's state", async () => {
    const own = { ownRuleArns: async () => new Set(live.rules.map((rule) => rule.arn)) };
    expect(await scene({ records, config: { takeOver }, own }).judge()).toEqual([]);
  });

  it("is refused before, and from a stack that does not declare it", async () => {
    const own = { ownRuleArns: async () => new Set([live.rules[0]?.arn ?? ""]) };
    expect(await scene({ records, config: { takeOver }, own }).judge()).toEqual([
      `takeOver.checkout: its resources are still in the other stack's state, got ${live.rules.length - 1} of ${live.rules.length} listener rules missing here; expected all of them. ` +
        `Move them first: pulumi state move --source ${base} --dest ${shop} with the URN of its ProgressiveService`,
    ]);
    expect(await scene({ records, config: { takeOver: { checkout: "example/tidegate/old" } }, own }).judge()).toEqual([
      `takeOver.checkout: not the stack that declares it, got "example/tidegate/old"; expected ${base}. Correct it`,
    ]);
  });

  it("says nothing once it is done, and asks for no state then", async () => {
    const own = { ownRuleArns: () => Promise.reject(new Error("asked")) };
    expect(await scene({ records: { checkout: { declaredBy: shop } }, config: { takeOver }, own }).judge()).toEqual([]);
  });
});

describe("a service that another stack retired [E7]", () => {
  const records = { checkout: { declaredBy: base, retiredAt: 1 } };
  const refusal = (got: string) =>
    `services.checkout: retired in another stack, which still has its resources, got ${got} from ${base}; expected none. Take it out of that stack's config and run up there first`;

  it("is free once its rules are gone", async () => {
    expect(await scene({ records }).judge()).toEqual([]);
  });

  it("is refused while they are there, or cannot be looked for", async () => {
    const { cloud, judge } = scene({ records });
    cloud.rules.set(live.rules[0]?.arn ?? "", { weights: { "arn:group": 100 } });
    expect(await judge()).toEqual([refusal("1 of its listener rules")]);

    const ports = cloud.ports("up");
    const traffic = { ...ports.traffic, readRules: () => Promise.reject(new Error("denied")) };
    const own = {
      stackId: shop,
      foundationStack: base,
      previousServices: [],
      ownRuleArns: async () => new Set<string>(),
    };
    expect(
      await ownershipProblems(parseConfig(aConfig({}, { checkout: aService() })), own, { ...ports, traffic }),
    ).toEqual([refusal("rules that cannot be read")]);
  });
});
