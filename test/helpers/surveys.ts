/** Surveys of a load balancer that somebody has in production, to change one thing of. */
import type { AdoptingRoute, AdoptingService } from "../../core/adoption.ts";
import type {
  Survey,
  SurveyedAction,
  SurveyedCondition,
  SurveyedListener,
  SurveyedLoadBalancer,
  SurveyedRule,
  SurveyedTargetGroup,
} from "../../core/survey.ts";

const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
export const balancerArn = `${elb}:loadbalancer/app/web/1`;
export const listenerArn = `${elb}:listener/app/web/1/2`;
export const groupArnOf = (name: string) => `${elb}:targetgroup/${name}/0123456789abcdef`;
export const ruleArnOf = (id: string) => `${elb}:listener-rule/app/web/1/2/${id}`;

export const hosts = (...values: string[]): SurveyedCondition => ({ field: "host-header", values });
export const paths = (...values: string[]): SurveyedCondition => ({ field: "path-pattern", values });
export const forwardTo = (...names: string[]): SurveyedAction => ({
  type: "forward",
  targetGroups: names.map((name) => ({ arn: groupArnOf(name), weight: 1 })),
});
export const login: SurveyedAction = { type: "authenticate-oidc" };
export const answer = (statusCode: string): SurveyedAction => ({ type: "fixed-response", statusCode });

export function aRule(
  priority: SurveyedRule["priority"],
  conditions: readonly SurveyedCondition[],
  actions: SurveyedRule["actions"],
  change: Partial<SurveyedRule> = {},
): SurveyedRule {
  return { arn: ruleArnOf(String(priority)), priority, conditions, actions, ...change };
}

export function aGroup(name: string, change: Partial<SurveyedTargetGroup> = {}): SurveyedTargetGroup {
  return {
    arn: groupArnOf(name),
    name,
    targetType: "ip",
    port: 8080,
    protocol: "HTTP",
    vpcId: "vpc-1",
    loadBalancerArns: [],
    healthChecksEnabled: true,
    ...change,
  };
}

interface Found {
  readonly rules?: readonly SurveyedRule[];
  readonly groups?: readonly SurveyedTargetGroup[];
  readonly balancer?: Partial<SurveyedLoadBalancer>;
  readonly listener?: Partial<SurveyedListener>;
}

/** One listener whose default answers 404, and groups blue (on it) and green (on none). */
export function aSurvey({ rules = [], groups, balancer = {}, listener = {} }: Found = {}): Survey {
  const sorted = rules.toSorted((left, right) => Number(left.priority) - Number(right.priority));
  const own = sorted.some(({ priority }) => priority === "default") ? [] : [aRule("default", [], [answer("404")])];
  return {
    loadBalancers: [{ arn: balancerArn, name: "web", vpcId: "vpc-1", ...balancer }],
    listeners: [
      {
        arn: listenerArn,
        loadBalancerArn: balancerArn,
        port: 443,
        protocol: "HTTPS",
        rules: [...sorted, ...own],
        ...listener,
      },
    ],
    targetGroups: groups ?? [aGroup("blue", { loadBalancerArns: [balancerArn] }), aGroup("green")],
  };
}

/** The rule that serves the shop today. */
export const shopRule = aRule(50, [hosts("shop.example.com")], [forwardTo("blue")], { arn: ruleArnOf("theirs") });

export function aRoute(change: Partial<AdoptingRoute> = {}): AdoptingRoute {
  return {
    place: "services.checkout",
    namesListener: false,
    listenerArn,
    match: { hosts: ["shop.example.com"], paths: [] },
    priority: 20,
    ...change,
  };
}

/** The route that stands in front of `shopRule`. */
export const inFront = aRoute({ match: { hosts: [], paths: [], ruleArn: shopRule.arn } });

/** A first `up` of a service whose baseline is on blue, in observe mode. */
export function anAdopting(change: Partial<AdoptingService> = {}): AdoptingService {
  return {
    name: "checkout",
    environment: "production",
    mode: "observe",
    routes: [aRoute()],
    baseline: { digest: `${groupArnOf("blue")}#1.0.0`, version: "1.0.0", targetGroupArn: groupArnOf("blue") },
    ownTargetType: "ip",
    isFirst: true,
    raises: false,
    ...change,
  };
}

/** Our main rule of a service, as it stands on the listener. */
export function ourRule(
  priority: number,
  conditions: readonly SurveyedCondition[],
  service = "checkout",
  role = "main",
) {
  const ours = { environment: "production", service, role };
  return aRule(priority, conditions, [forwardTo("blue")], { arn: ruleArnOf(`${service}-${role}`), ours });
}
