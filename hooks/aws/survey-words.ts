/** What ELBv2 answers, in the words of a survey, and who writes it by its tags. */
import type {
  Action,
  Listener,
  LoadBalancer,
  Rule,
  RuleCondition,
  TargetGroup,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type {
  SurveyedAction,
  SurveyedCondition,
  SurveyedListener,
  SurveyedLoadBalancer,
  SurveyedRule,
  SurveyedTargetGroup,
} from "../../core/survey.ts";
import { ruleTags } from "./traffic.ts";

/** Tags of one resource. */
export type Tags = ReadonlyMap<string, string>;

/** What the SDK answered cannot be told in our words. */
export class SurveyUnreadableError extends Error {
  override readonly name = "SurveyUnreadableError";
}

/** @throws SurveyUnreadableError where AWS left out what everything hangs on */
export function needed<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new SurveyUnreadableError(`ELBv2 answered ${what}; nothing can be adopted on that`);
  return value;
}

export function surveyedBalancer(
  found: LoadBalancer,
  tagged: (arn: string | undefined) => Tags,
  counts: Pick<SurveyedLoadBalancer, "targetGroupArns" | "ruleCount"> | undefined,
): SurveyedLoadBalancer {
  const tags = tagged(found.LoadBalancerArn);
  return {
    arn: needed(found.LoadBalancerArn, "a load balancer without an ARN"),
    name: found.LoadBalancerName ?? "",
    vpcId: found.VpcId ?? "",
    // A load balancer with the controller's own mark is its, whatever it was made for.
    ...manager(managedBy(tags) ?? clusterOf(tags)),
    ...counts,
  };
}

export function surveyedListener(
  found: Listener,
  rules: readonly Rule[],
  tagged: (arn: string | undefined) => Tags,
): SurveyedListener {
  return {
    arn: needed(found.ListenerArn, "a listener without an ARN"),
    loadBalancerArn: needed(found.LoadBalancerArn, "a listener without a load balancer"),
    port: found.Port ?? 0,
    protocol: found.Protocol ?? "",
    ...manager(managedBy(tagged(found.ListenerArn))),
    rules: rules.map((rule) => surveyedRule(rule, tagged(rule.RuleArn))).sort(byPriority),
  };
}

function byPriority(left: SurveyedRule, right: SurveyedRule): number {
  if (left.priority === "default") return 1;
  return right.priority === "default" ? -1 : left.priority - right.priority;
}

function surveyedRule(found: Rule, tags: Tags): SurveyedRule {
  const arn = needed(found.RuleArn, "a rule without an ARN");
  const priority = found.IsDefault ? "default" : Number(needed(found.Priority, `rule ${arn} without a priority`));
  if (Number.isNaN(priority)) {
    throw new SurveyUnreadableError(`rule ${arn}: not a priority, got ${found.Priority}; expected a number`);
  }
  const service = tags.get(ruleTags.service);
  const environment = tags.get(ruleTags.environment);
  const role = tags.get(ruleTags.role);
  const transforms = (found.Transforms ?? []).map(({ Type }) => Type ?? "something new");
  return {
    arn,
    priority,
    conditions: (found.Conditions ?? []).map(surveyedCondition),
    actions: (found.Actions ?? [])
      .toSorted((left, right) => (left.Order ?? 0) - (right.Order ?? 0))
      .map((action) => surveyedAction(arn, action)),
    ...(transforms.length > 0 ? { transforms } : {}),
    ...(service !== undefined && environment !== undefined && role !== undefined
      ? { ours: { environment, service, role } }
      : {}),
    ...manager(managedBy(tags)),
  };
}

function surveyedCondition(condition: RuleCondition): SurveyedCondition {
  const { Field, Values = [], RegexValues = [] } = condition;
  const listed = (config: { Values?: string[]; RegexValues?: string[] } | undefined) => {
    const regexValues = [...RegexValues, ...(config?.RegexValues ?? [])];
    const values = config?.Values ?? Values;
    return { values, ...(regexValues.length > 0 ? { regexValues } : {}) };
  };
  switch (Field) {
    case "host-header":
      return { field: Field, ...listed(condition.HostHeaderConfig) };
    case "path-pattern":
      return { field: Field, ...listed(condition.PathPatternConfig) };
    case "http-request-method":
      return { field: Field, ...listed(condition.HttpRequestMethodConfig) };
    case "source-ip":
      return { field: Field, ...listed(condition.SourceIpConfig) };
    case "http-header": {
      const httpHeaderName = condition.HttpHeaderConfig?.HttpHeaderName ?? "";
      return { field: Field, httpHeaderName, ...listed(condition.HttpHeaderConfig) };
    }
    case "query-string":
      return {
        field: Field,
        values: [],
        queryStrings: (condition.QueryStringConfig?.Values ?? []).map(({ Key, Value }) => ({
          ...(Key === undefined || Key === "" ? {} : { key: Key }),
          value: Value ?? "",
        })),
      };
    default:
      return { field: "other", otherField: Field ?? "something new", values: Values };
  }
}

function surveyedAction(ruleArn: string, action: Action): SurveyedAction {
  const type = action.Type ?? "something new";
  const statusCode = action.FixedResponseConfig?.StatusCode ?? action.RedirectConfig?.StatusCode;
  if (type !== "forward") return { type, ...(statusCode === undefined ? {} : { statusCode }) };
  // The short form, one group and no list, means that group has everything.
  const tuples = action.ForwardConfig?.TargetGroups ?? [];
  const groups = tuples.length > 0 ? tuples : [{ TargetGroupArn: action.TargetGroupArn, Weight: 1 }];
  const sticky = action.ForwardConfig?.TargetGroupStickinessConfig;
  return {
    type,
    targetGroups: groups.map(({ TargetGroupArn, Weight = 1 }) => ({
      arn: needed(TargetGroupArn, `rule ${ruleArn} with a forward action without a target group`),
      weight: Weight,
    })),
    ...(sticky?.Enabled ? { stickinessSeconds: sticky.DurationSeconds ?? 0 } : {}),
  };
}

const targetTypes = ["instance", "ip", "lambda", "alb"] as const;

export function surveyedGroup(
  found: TargetGroup,
  tagged: (arn: string | undefined) => Tags,
  attributes: Tags,
): SurveyedTargetGroup {
  const arn = needed(found.TargetGroupArn, "a target group without an ARN");
  const targetType = targetTypes.find((type) => type === (found.TargetType ?? "instance"));
  if (targetType === undefined) {
    throw new SurveyUnreadableError(
      `target group ${arn}: not a target type this version knows, got ${found.TargetType}; expected ${targetTypes.join(", ")}`,
    );
  }
  const isSticky = attributes.get("stickiness.enabled") === "true";
  return {
    arn,
    name: found.TargetGroupName ?? "",
    targetType,
    ...(found.Port === undefined ? {} : { port: found.Port }),
    ...(found.Protocol === undefined ? {} : { protocol: found.Protocol }),
    ...(found.VpcId === undefined ? {} : { vpcId: found.VpcId }),
    loadBalancerArns: [...new Set(found.LoadBalancerArns)],
    // Optional for Lambda targets alone; every other group has them.
    healthChecksEnabled: found.HealthCheckEnabled ?? targetType !== "lambda",
    ...(isSticky ? { stickinessType: attributes.get("stickiness.type") ?? "unknown" } : {}),
    ...manager(managedBy(tagged(found.TargetGroupArn))),
  };
}

function manager(managedByWhom: string | undefined): { managedBy?: string } {
  return managedByWhom === undefined ? {} : { managedBy: managedByWhom };
}

/**
 * Marks of controllers that write rules and groups themselves, by the prefix of their tags. A TargetGroupBinding on a group of one's
 * own leaves none of these.
 * Source: kubernetes-sigs/aws-load-balancer-controller, pkg/deploy/tracking/provider.go and docs/guide/ingress/annotations.md; EKS user
 * guide, "Auto Mode" (its own prefix); read 2026-11.
 */
const controllers: Readonly<Record<string, string>> = {
  "ingress.k8s.aws": "ingress",
  "ingress.eks.amazonaws.com": "ingress",
  "gateway.k8s.aws.alb": "gateway",
  "gateway.k8s.aws.nlb": "gateway",
  "service.k8s.aws": "service",
  "service.eks.amazonaws.com": "service",
};

/** Who writes this, out of its tags: `EKS cluster shop, ingress default/web`; `undefined`: nobody that is known. */
function managedBy(tags: Tags): string | undefined {
  for (const [prefix, kind] of Object.entries(controllers)) {
    const stack = tags.get(`${prefix}/stack`);
    if (stack === undefined && !tags.has(`${prefix}/resource`)) continue;
    return `${clusterOf(tags) ?? "an EKS cluster"}, ${kind} ${stack ?? "without a name"}`;
  }
  // Version 1 of the controller names cluster, namespace and ingress one by one.
  const name = tags.get("kubernetes.io/ingress-name");
  if (name === undefined) return undefined;
  return `${clusterOf(tags) ?? "an EKS cluster"}, ingress ${tags.get("kubernetes.io/namespace") ?? ""}/${name}`;
}

function clusterOf(tags: Tags): string | undefined {
  const name =
    tags.get("elbv2.k8s.aws/cluster") ?? tags.get("ingress.k8s.aws/cluster") ?? tags.get("eks:eks-cluster-name");
  return name === undefined ? undefined : `EKS cluster ${name}`;
}
