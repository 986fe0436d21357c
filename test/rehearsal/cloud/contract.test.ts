/** The contracts of the ports, run against the rehearsal's own: the same suites that the AWS adapters pass. */

import { LoadBalancers } from "../../../rehearsal/cloud/load-balancer.ts";
import { portsOver } from "../../../rehearsal/cloud/ports.ts";
import { RecordTable } from "../../../rehearsal/cloud/record-table.ts";
import { CloudWatch } from "../../../rehearsal/cloudwatch/cloudwatch.ts";
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
    cloudWatch,
    table,
    now: () => noon,
    sleep: async () => {},
    send: () => {},
    newId: () => "id",
  });
  return { balancers, cloudWatch, table, ports };
}

describeRecordStoreContract("the rehearsal's table", async () => {
  const { table, ports } = parts();
  return {
    store: ports.records,
    plant: async (service, value) => table.plant(service, value),
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
        balancers.createRule({ arn, listenerArn: listener.arn, priority: made, tags, action });
        return arn;
      },
      deleteRule: async (ruleArn) => balancers.deleteRule(ruleArn),
      addUnhealthyTarget: async (targetGroupArn) => balancers.addBrokenHost(targetGroupArn),
      goneArn: (kind) => `${account}:${kind}/gone/0000000000000000`,
    };
  },
);

describeAlarmsContract("the rehearsal's CloudWatch", async () => {
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
