import { describe, expect, it } from "vitest";
import { exposedReleaseAlarms } from "../../../policies/shape/exposed-release-alarms.ts";
import { type GivenResource, notKnownYet, violationsOf } from "../policy-run.ts";
import {
  aCanary,
  aFreshAlarm,
  aFreshCanary,
  aGroup,
  alarmsOf,
  anAlarm,
  aRule,
  groupArn,
  groupSuffix,
} from "./builders.ts";

const check = (resources: readonly GivenResource[], config = {}) =>
  violationsOf(exposedReleaseAlarms, resources, config);

/** The sound canary, one resource changed or taken out. */
function changed(name: string, change: (resource: GivenResource) => GivenResource | undefined): GivenResource[] {
  return aCanary().flatMap((resource) => (resource.name === name ? (change(resource) ?? []) : [resource]));
}
const withProps = (props: Record<string, unknown>) => (resource: GivenResource) => ({
  ...resource,
  props: { ...resource.props, ...props },
});

const wayOut =
  "expected a critical error alarm and a latency alarm on its target group, with actions. " +
  "Add them with the dimension TargetGroup of this group, and give them alarmActions";

describe("exposed-release-alarms", () => {
  it("lets two watched releases pass [E1]", async () => {
    expect(await check(aCanary())).toEqual([]);
  });

  it("names the release and the alarm that it lacks [E1]", async () => {
    expect(await check(changed("green-errors", () => undefined))).toEqual([
      `green: shares traffic by split unwatched, got no critical error alarm that acts; ${wayOut}`,
    ]);
    expect(await check(changed("green-latency", () => undefined))).toEqual([
      `green: shares traffic by split unwatched, got no latency alarm that acts; ${wayOut}`,
    ]);
    expect(
      await check([aGroup("blue"), aGroup("green"), aRule("split", { blue: 50, green: 50 }), ...alarmsOf("blue")]),
    ).toEqual([
      `green: shares traffic by split unwatched, got no critical error alarm and no latency alarm that acts; ${wayOut}`,
    ]);
  });

  it.each([
    ["tells nobody", { alarmActions: [] }],
    ["is switched off", { actionsEnabled: false }],
    ["watches the whole load balancer", { dimensions: { LoadBalancer: "app/shop/1" } }],
    ["watches another group", { dimensions: { TargetGroup: groupSuffix("blue") } }],
    ["only warns by its name", { name: "green-5xx-warning" }],
    ["counts something else", { metricName: "HTTPCode_Target_4XX_Count" }],
    ["rings when errors are few", { comparisonOperator: "LessThanThreshold" }],
    ["rings when errors are few or none", { comparisonOperator: "LessThanOrEqualToThreshold" }],
    ["rings below its band", { comparisonOperator: "LessThanLowerThreshold" }],
    ["does not say when it rings", { comparisonOperator: undefined }],
  ])("does not count an error alarm that %s [E1]", async (_, props) => {
    expect(await check(changed("green-errors", withProps(props)))).toHaveLength(1);
  });

  it("counts a latency alarm that only warns, until told otherwise [E1]", async () => {
    const warning = changed("green-latency", withProps({ name: "green/warning/latency" }));
    expect(await check(warning)).toEqual([]);
    expect(await check(warning, { criticalLatency: true })).toHaveLength(1);
  });

  it("counts metrics of one's own once they are configured [E1]", async () => {
    const own = changed("green-errors", withProps({ namespace: "Shop", metricName: "FailedOrders" }));
    expect(await check(own)).toHaveLength(1);
    expect(await check(own, { errorMetrics: ["FailedOrders", "HTTPCode_Target_5XX_Count"] })).toEqual([]);
  });

  it("counts metric math, and an alarm that acts through a composite [E1]", async () => {
    const metric = (metricName: string) => ({
      metric: { namespace: "AWS/ApplicationELB", metricName, dimensions: { TargetGroup: groupSuffix("green") } },
    });
    const ratio = withProps({
      metricName: undefined,
      dimensions: undefined,
      alarmActions: undefined,
      metricQueries: [
        metric("HTTPCode_Target_5XX_Count"),
        metric("RequestCount"),
        { id: "rate", expression: "100 * a / b" },
      ],
    });
    const composite: GivenResource = {
      type: "aws:cloudwatch/compositeAlarm:CompositeAlarm",
      name: "any",
      props: { alarmRule: notKnownYet, alarmActions: [notKnownYet] },
      from: { alarmRule: ["green-errors"] },
    };
    expect(await check([...changed("green-errors", ratio), composite])).toEqual([]);
    expect(await check([...changed("green-errors", ratio), withProps({ alarmActions: [] })(composite)])).toHaveLength(
      1,
    );
  });

  it.each([
    "GreaterThanOrEqualToThreshold",
    "GreaterThanUpperThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    notKnownYet,
  ])("counts alarms that ring above: %s [E1]", async (comparisonOperator) => {
    const above = withProps({ comparisonOperator });
    expect(await check(changed("green-errors", above))).toEqual([]);
    expect(await check(changed("green-latency", above))).toEqual([]);
  });

  it("does not count a latency alarm that rings when all is fast [E1]", async () => {
    const below = withProps({ comparisonOperator: "LessThanThreshold" });
    expect(await check(changed("green-latency", below))).toEqual([
      `green: shares traffic by split unwatched, got no latency alarm that acts; ${wayOut}`,
    ]);
  });

  it.each([
    ['ALARM("green-errors")', true],
    ['NOT ALARM("green-errors")', false],
    ['OK("green-errors")', false],
    ['ALARM("other") AND NOT (ALARM("green-errors") OR ALARM("third"))', false],
  ])("counts an alarm without actions by a composite %s: %s [E1]", async (alarmRule, counts) => {
    const composite: GivenResource = {
      type: "aws:cloudwatch/compositeAlarm:CompositeAlarm",
      name: "any",
      props: { alarmRule, alarmActions: [notKnownYet] },
      from: { alarmRule: ["green-errors"] },
    };
    const silent = changed("green-errors", withProps({ alarmActions: [] }));
    expect(await check([...silent, composite])).toHaveLength(counts ? 0 : 1);
  });

  it("asks nothing of a release without weight, and nothing of a rule with one group [E1]", async () => {
    const bare = [aGroup("blue"), aGroup("green"), ...alarmsOf("blue")];
    expect(await check([...bare, aRule("split", { blue: 100, green: 0 })])).toEqual([]);
    expect(await check([...bare, aRule("all", { green: 100 })])).toEqual([]);
  });

  it("asks it of a group that the program only knows by ARN, and says so on the rule [E1]", async () => {
    expect(await check([aGroup("blue"), ...alarmsOf("blue"), aRule("split", { blue: 90, theirs: 10 })])).toEqual([
      expect.stringContaining(`${groupArn("theirs")}: shares traffic by split unwatched`),
    ]);
    expect(
      await check([
        aGroup("blue"),
        ...alarmsOf("blue"),
        ...alarmsOf("theirs"),
        aRule("split", { blue: 90, theirs: 10 }),
      ]),
    ).toEqual([]);
  });

  it("looks at the default actions of a listener [E1]", async () => {
    const { actions } = aRule("split", { blue: 90, green: 10 }).props ?? {};
    const listener: GivenResource = {
      type: "aws:alb/listener:Listener",
      name: "front",
      props: { defaultActions: actions },
    };
    expect(await check([aGroup("blue"), aGroup("green"), ...alarmsOf("blue"), listener])).toEqual([
      expect.stringContaining("green: shares traffic by front unwatched"),
    ]);
  });

  it("speaks once of a release that several rules expose [E1]", async () => {
    const second = aRule("split-too", { blue: 90, green: 10 });
    expect(await check([...changed("green-errors", () => undefined), second])).toHaveLength(1);
  });

  describe("in the preview of a first up, where no ARN is known", () => {
    const watched = (group: string) => [
      aFreshAlarm(`${group}-errors`, group, "HTTPCode_Target_5XX_Count"),
      aFreshAlarm(`${group}-latency`, group, "TargetResponseTime"),
    ];

    it("finds alarms by what they are made from [E1]", async () => {
      const canary = aFreshCanary({ blue: 90, green: 10 });
      expect(await check([...canary, ...watched("blue"), ...watched("green")])).toEqual([]);
      expect(await check([...canary, ...watched("blue"), ...watched("green").slice(1)])).toEqual([
        `green: shares traffic by split unwatched, got no critical error alarm that acts; ${wayOut}`,
      ]);
    });

    it("asks for alarms on every new group, because it cannot tell which has the weight [E1]", async () => {
      expect(await check([...aFreshCanary({ blue: 100, green: 0 }), ...watched("blue")])).toEqual([
        expect.stringMatching(/^green: /),
      ]);
    });

    it("tells the one new group from those that exist [E1]", async () => {
      const targetGroups = [
        { arn: groupArn("blue"), weight: 90 },
        { arn: notKnownYet, weight: 10 },
      ];
      const resources = [
        aGroup("blue"),
        aGroup("green", { arn: notKnownYet }),
        aRule(
          "split",
          {},
          { actions: [{ type: "forward", forward: { targetGroups } }] },
          { from: { actions: ["blue", "green"] } },
        ),
      ];
      expect(await check([...resources, ...alarmsOf("blue")])).toEqual([expect.stringMatching(/^green: /)]);
      expect(await check([...resources, ...alarmsOf("blue"), ...watched("green")])).toEqual([]);
    });

    it("judges the program's one group of actions that are not known at all: others may be adopted [E1]", async () => {
      const green = aGroup("green", { arn: notKnownYet });
      const rule = aRule("split", {}, { actions: notKnownYet }, { from: { actions: ["green"] } });
      expect(await check([green, rule])).toEqual([
        `green: may share traffic by split unwatched, got no critical error alarm and no latency alarm that acts; ${wayOut}`,
      ]);
      expect(await check([green, rule, ...watched("green")])).toEqual([]);
    });

    it("refuses actions that say nothing at all [E1]", async () => {
      const text = (place: string) =>
        `split: ${place} may split traffic, and between which target groups cannot be told before up, got a list that is not known as a ` +
        "whole; expected a list in which single values may be unknown. Write the list out, with outputs only inside of it";
      expect(await check([aRule("split", {}, { actions: notKnownYet })])).toEqual([text("actions")]);
      expect(
        await check([aRule("split", {}, { actions: [{ type: "forward", forward: { targetGroups: notKnownYet } }] })]),
      ).toEqual([text("actions[0]")]);
    });

    it("refuses a group that cannot be told at all [E1]", async () => {
      const targetGroups = [
        { arn: notKnownYet, weight: 90 },
        { arn: groupArn("blue"), weight: 10 },
      ];
      const rule = aRule("split", {}, { actions: [{ type: "forward", forward: { targetGroups } }] });
      expect(await check([aGroup("blue"), ...alarmsOf("blue"), rule])).toEqual([
        "split: forwards to a target group that cannot be told before up, got no critical error alarm and no latency alarm that acts; " +
          wayOut,
      ]);
    });
  });

  describe("where an application measures itself and its metrics name no target group", () => {
    const tags = (release?: string) => ({
      "tidegate:environment": "prod",
      "tidegate:service": "shop",
      ...(release === undefined ? {} : { "tidegate:release": release }),
    });
    const own = (release: string) =>
      ["Errors", "Latency"].map((metricName) =>
        anAlarm(`${release}-${metricName}`, "none", metricName, {
          namespace: "Tidegate",
          dimensions: { Service: "shop", Release: release },
          tags: tags(release),
        }),
      );
    const rule = aRule("main", { blue: 90, green: 10 }, { tags: tags() });

    it("takes the release in Tidegate's tags of the group [E1]", async () => {
      const groups = [aGroup("blue", { tags: tags("1-0-0") }), aGroup("green", { tags: tags("1-1-0") })];
      expect(await check([...groups, rule, ...own("1-0-0"), ...own("1-1-0")])).toEqual([]);
      expect(await check([...groups, rule, ...own("1-0-0"), ...own("1-1-0").slice(1)])).toEqual([
        expect.stringMatching(/^green: .*got no critical error alarm that acts/),
      ]);
    });

    it("counts watched releases of the service where adopted groups carry no tag [E1]", async () => {
      expect(await check([rule, ...own("1-0-0"), ...own("1-1-0")])).toEqual([]);
      expect(await check([rule, ...own("1-0-0")])).toHaveLength(2);
    });

    it("does not count the alarms of a tagged group for an adopted one [E1]", async () => {
      expect(await check([aGroup("blue", { tags: tags("1-0-0") }), rule, ...own("1-0-0")])).toEqual([
        expect.stringContaining(`${groupArn("green")}: shares traffic by main unwatched`),
      ]);
    });

    it("does not count another service's releases [E1]", async () => {
      const other = own("1-1-0").map((alarm) => ({
        ...alarm,
        props: { ...alarm.props, tags: { ...tags("1-1-0"), "tidegate:service": "cart" } },
      }));
      expect(await check([rule, ...own("1-0-0"), ...other])).toHaveLength(2);
    });
  });
});
