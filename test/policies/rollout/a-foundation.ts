/** A foundation and a service as the program declares them to a stack policy: what hangs on what, and no ARN known, as in a first preview. */
import { type GivenResource, notKnownYet } from "../policy-run.ts";

const tags = { "tidegate:environment": "dev", "tidegate:role": "hook" };

function rule(parent: string, name: string, when: object, targetArn: string): GivenResource[] {
  return [
    { type: "aws:cloudwatch/eventRule:EventRule", name, parent, props: { ...when, tags } },
    {
      type: "aws:lambda/permission:Permission",
      name: `${name}-permission`,
      parent,
      props: { sourceArn: notKnownYet },
      from: { sourceArn: [name] },
    },
    {
      type: "aws:cloudwatch/eventTarget:EventTarget",
      name: `${name}-target`,
      parent,
      props: { rule: notKnownYet, arn: notKnownYet, deadLetterConfig: { arn: notKnownYet } },
      from: { rule: [name], arn: [targetArn] },
    },
  ];
}

function alarm(metricName: string): GivenResource {
  return {
    type: "aws:cloudwatch/metricAlarm:MetricAlarm",
    name: `hook-${metricName}`,
    parent: "hook",
    props: { metricName, alarmActions: [notKnownYet], tags },
  };
}

/** Names are unique; parents come first. */
export const foundation: readonly GivenResource[] = [
  { type: "tidegate:foundation:RolloutTable", name: "table" },
  { type: "tidegate:foundation:RollbackHook", name: "hook" },
  {
    type: "aws:lambda/function:Function",
    name: "hook-function",
    parent: "hook",
    props: { name: "tidegate-dev-hook", deadLetterConfig: { targetArn: notKnownYet } },
  },
  ...["live", "acknowledge"].map((name) => ({
    type: "aws:lambda/alias:Alias",
    name: `hook-${name}`,
    parent: "hook",
    props: { name, functionVersion: notKnownYet },
  })),
  ...rule(
    "hook",
    "hook-alarms",
    { eventPattern: '{"detail":{"alarmName":[{"prefix":"tidegate/dev/"}]}}' },
    "hook-live",
  ),
  ...rule("hook", "hook-clock", { scheduleExpression: "rate(1 minute)" }, "hook-live"),
  ...rule("hook", "hook-drill", { scheduleExpression: "cron(0 9 ? * TUE *)" }, "hook-live"),
  ...["Errors", "Throttles", "ApproximateNumberOfMessagesVisible", "ReconcileFinished", "PagesUndelivered"].map(alarm),
  { type: "tidegate:foundation:Watchman", name: "watchman" },
  { type: "aws:lambda/function:Function", name: "watchman-function", parent: "watchman", props: {} },
  ...rule("watchman", "watchman-clock", { scheduleExpression: "rate(1 minute)" }, "watchman-function"),
];

export const service: readonly GivenResource[] = [
  {
    type: "tidegate:rollout:ProgressiveService",
    name: "checkout",
    props: { step: "none", fromPercent: 0, exposurePercent: 0 },
  },
  { type: "tidegate:rollout:WaveOpening", name: "commit", parent: "checkout" },
  {
    type: "aws:lambda/invocation:Invocation",
    name: "opening",
    parent: "commit",
    props: { qualifier: notKnownYet, lifecycleScope: "CRUD" },
    from: { qualifier: ["hook-live"] },
  },
];

/** The same with properties of one resource changed; `undefined` takes one out. */
export function changed(
  resources: readonly GivenResource[],
  name: string,
  props: Readonly<Record<string, unknown>>,
  more: Partial<GivenResource> = {},
): GivenResource[] {
  if (!resources.some((resource) => resource.name === name)) throw new Error(`test input: nothing is called ${name}`);
  return resources.map((resource) => {
    if (resource.name !== name) return resource;
    const entries = Object.entries({ ...resource.props, ...props }).filter(([, value]) => value !== undefined);
    return { ...resource, ...more, props: Object.fromEntries(entries) };
  });
}

/** The same without some; whatever was made from them is then made from nothing. */
export function without(resources: readonly GivenResource[], ...names: readonly string[]): GivenResource[] {
  const keep = (name: string): boolean => !names.includes(name);
  return resources
    .filter(({ name }) => keep(name))
    .map((resource) => ({
      ...resource,
      from: Object.fromEntries(Object.entries(resource.from ?? {}).map(([key, from]) => [key, from.filter(keep)])),
    }));
}
