/** The contracts of the ports, run against the rehearsal's own: the same suites that the AWS adapters pass. */

import { describe, expect, it } from "vitest";
import { type PageMessage, pageMessageOf } from "../../../core/page-message.ts";
import type { Page } from "../../../core/record.ts";
import { FlagDocuments } from "../../../rehearsal/cloud/flags.ts";
import { LoadBalancers } from "../../../rehearsal/cloud/load-balancer.ts";
import { portsOver, rehearsedChannel } from "../../../rehearsal/cloud/ports.ts";
import { RecordTable } from "../../../rehearsal/cloud/record-table.ts";
import { CloudWatch, type StateChange } from "../../../rehearsal/cloudwatch/cloudwatch.ts";
import { describeAlarmsContract } from "../../contract/alarms.ts";
import { describeMetricsContract } from "../../contract/metrics.ts";
import { describeRecordStoreContract } from "../../contract/record-store.ts";
import { describeTrafficContract } from "../../contract/traffic.ts";

const noon = Date.UTC(2026, 0, 5, 12);
const account = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

function parts() {
  const balancers = new LoadBalancers({ now: () => noon, propagationSeconds: () => 0, onWrite: () => {} });
  const cloudWatch = new CloudWatch();
  const table = new RecordTable();
  table.tableName = "tidegate-test";
  const ports = portsOver({
    balancers,
    flags: new FlagDocuments(() => {}),
    cloudWatch,
    table,
    now: () => noon,
    sleep: async () => {},
    send: () => {},
    onStateChange: () => {},
    newId: () => "id",
  });
  return { balancers, cloudWatch, table, ports };
}

describeRecordStoreContract("the rehearsal's table", async () => {
  const { table, ports } = parts();
  return {
    store: ports.records,
    plant: async (service, value) => table.plant(service, value),
    plantSnapshot: async (service, id, value) => table.plantSnapshot(service, id, value),
    storeWithoutTable: new RecordTable().store(),
  };
});

describeTrafficContract(
  "the rehearsal's load balancer",
  { unhealthyTargets: true, unknownTargetGroup: true },
  async () => {
    const { balancers, ports } = parts();
    let made = 0;
    const nextArn = (kind: string) => {
      made += 1;
      return `${account}:${kind}/${made}/${String(made).padStart(16, "0")}`;
    };
    return {
      traffic: ports.traffic,
      makeListener: async () => {
        const loadBalancerArn = nextArn("loadbalancer/app");
        const loadBalancerName = `balancer-${made}`;
        const arn = nextArn("listener/app");
        balancers.addLoadBalancer(loadBalancerName, loadBalancerArn);
        balancers.addListener(arn, loadBalancerArn);
        return { arn, loadBalancerName };
      },
      makeTargetGroup: async (healthyTargets) => {
        const arn = nextArn("targetgroup");
        balancers.addTargetGroup(arn, healthyTargets, noon - 1);
        return arn;
      },
      makeRule: async (listener, action, tags) => {
        const arn = nextArn("listener-rule/app");
        balancers.createRule({ conditions: [], arn, listenerArn: listener.arn, priority: made, tags, action });
        return arn;
      },
      deleteRule: async (ruleArn) => balancers.deleteRule(ruleArn),
      addUnhealthyTarget: async (targetGroupArn) => balancers.addBrokenHost(targetGroupArn),
      goneArn: (kind) => `${account}:${kind}/gone/0000000000000000`,
    };
  },
);

describeAlarmsContract("the rehearsal's CloudWatch", { metricMath: true }, async () => {
  const { cloudWatch, ports } = parts();
  let made = 0;
  const metricAlarm = (name: string, actionsEnabled: boolean) =>
    cloudWatch.putMetricAlarm(
      {
        name,
        actionsEnabled,
        namespace: "AWS/ApplicationELB",
        metricName: "RequestCount",
        statistic: "Sum",
        period: 60,
        evaluationPeriods: 1,
        threshold: 1,
        comparisonOperator: "GreaterThanThreshold",
      },
      noon,
    );
  return {
    alarms: ports.alarms,
    now: () => noon,
    minuteBorder: () => noon,
    put: async ({ metricName, service }, at, value) =>
      cloudWatch.putMetric("Tidegate", metricName, { Service: service }, at, value, at),
    makeAlarmOn: async (name, { comparisonOperator, threshold, metrics, expression }) => {
      const common = { name, comparisonOperator, threshold, evaluationPeriods: 1 };
      const parts = Object.entries(metrics).map(([id, { metricName, service }]) => ({
        id,
        returnData: false,
        metric: { namespace: "Tidegate", metricName, dimensions: { Service: service }, period: 60, stat: "Sum" },
      }));
      const [first] = parts;
      if (expression !== undefined) {
        const metricQueries = [...parts, { id: "value", expression, returnData: true }];
        cloudWatch.putMetricAlarm({ ...common, metricQueries }, noon);
      } else if (first) {
        const { stat: statistic, ...plain } = first.metric;
        cloudWatch.putMetricAlarm({ ...common, ...plain, statistic }, noon);
      }
    },
    makeAlarm: async (alarmName, kind, actionsEnabled) => {
      if (kind === "metric") return metricAlarm(alarmName, actionsEnabled);
      metricAlarm(`${alarmName}/child`, true);
      cloudWatch.putCompositeAlarm({ alarmName, alarmRule: `ALARM("${alarmName}/child")`, actionsEnabled }, noon);
    },
    setState: async (alarmName, state) => {
      // A composite falls back to what its children say, so the child is what is set.
      const child = `${alarmName}/child`;
      const isComposite = cloudWatch.alarmNames().includes(child);
      cloudWatch.setAlarmState(isComposite ? child : alarmName, state, "set by hand", noon);
    },
    freshName: () => {
      made += 1;
      return `tidegate/test/alarm-${made}`;
    },
  };
});

describeMetricsContract("the rehearsal's CloudWatch", async () => {
  const { cloudWatch, ports } = parts();
  let made = 0;
  return {
    metrics: ports.metrics,
    minuteBorder: () => noon,
    put: async ({ namespace, metricName, dimensions }, at, count) =>
      cloudWatch.putMetric(namespace, metricName, dimensions, at, count, at),
    freshName: () => {
      made += 1;
      return `name-${made}`;
    },
  };
});

describe("the rehearsal's own ports", () => {
  const anyAlarm = {
    name: "drill",
    namespace: "Tidegate",
    metricName: "Errors",
    statistic: "Sum",
    period: 60,
    evaluationPeriods: 1,
    threshold: 1,
    comparisonOperator: "GreaterThanThreshold",
    treatMissingData: "notBreaching",
    alarmActions: ["arn:page"],
  };
  function scene(heard?: StateChange[]) {
    const cloudWatch = new CloudWatch();
    const table = new RecordTable();
    const balancers = new LoadBalancers({ now: () => noon, propagationSeconds: () => 0, onWrite: () => {} });
    const sent: [Page, PageMessage][] = [];
    const ports = portsOver({
      balancers,
      flags: new FlagDocuments(() => {}),
      cloudWatch,
      table,
      now: () => noon,
      sleep: async () => {},
      send: (page, message) => void sent.push([page, message]),
      newId: () => "id",
      ...(heard ? { onStateChange: (change) => void heard.push(change) } : {}),
    });
    cloudWatch.putMetricAlarm(anyAlarm, noon);
    return { cloudWatch, ports, sent };
  }

  it("tell of an alarm that was set by hand as of any other, and the next evaluation takes it back [D4]", async () => {
    const heard: StateChange[] = [];
    const { cloudWatch, ports } = scene(heard);
    await ports.alarms.setState("drill", "ALARM", "a drill");
    expect(heard).toEqual([
      {
        alarmName: "drill",
        state: "ALARM",
        previousState: "INSUFFICIENT_DATA",
        at: noon,
        reason: "a drill",
        actions: ["arn:page"],
      },
    ]);
    expect(cloudWatch.evaluateAt(noon + 60_000).map((change) => change.state)).toEqual(["OK"]);
  });

  it("refuse by name to set an alarm where nobody would hear of it [D4]", async () => {
    const { ports } = scene();
    await expect(ports.alarms.setState("drill", "ALARM", "a drill")).rejects.toThrow(
      "alarm drill: nobody here hears of a state set by hand",
    );
  });

  it("send a page once, however often it is tried [D4]", async () => {
    const { ports, sent } = scene();
    const page: Page = { id: "1", dedupKey: "k", severity: "critical", summary: "s", detail: "", at: noon };
    const message = pageMessageOf(page, "checkout", undefined, ports.place);
    const delivery = await ports.pager.send(message, []);
    expect(delivery).toEqual({ deliveredTo: [rehearsedChannel], failed: [] });
    expect(await ports.pager.send(message, delivery.deliveredTo)).toEqual(delivery);
    expect(sent).toEqual([[page, message]]);
  });
});
