/**
 * What adoption finds in the local cloud: our own rules and whatever a test has put beside them. What a config names by ARN exists here
 * as the config needs it, because nobody can look: an adopted rule forwards to the baseline's group on a host of its own, and an adopted
 * group has targets of the service's type. So a rehearsal proves nothing about somebody's load balancer; a preview does.
 */
import type { Survey, SurveyedCondition, SurveyedRule, Surveyor } from "../../core/survey.ts";
import { ruleTags } from "../../hooks/aws/traffic.ts";
import type { EnvironmentConfig } from "../../stacks/config.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import type { PlainValue } from "../engine/plain-inputs.ts";
import type { LoadBalancers, Rule } from "./load-balancer.ts";

/** Rules of others by listener ARN, their defaults included. */
export type ForeignRules = Readonly<Record<string, readonly SurveyedRule[]>>;

/** A surveyor of the local cloud, for one config. */
export function localSurveyor(
  balancers: LoadBalancers,
  config: EnvironmentConfig,
  foreign: ForeignRules = {},
): Surveyor {
  return {
    survey: async ({ listenerArns, targetGroupArns }): Promise<Survey> => ({
      loadBalancers: [...new Set(listenerArns.map(balancerOf))].map((arn) => ({
        arn,
        name: arn.split("/")[2] ?? arn,
        vpcId: config.network.vpcId,
      })),
      listeners: listenerArns.map((arn) => ({
        arn,
        loadBalancerArn: balancerOf(arn),
        port: 443,
        protocol: "HTTPS",
        rules: rulesOf(arn, balancers, config, foreign[arn] ?? []),
      })),
      targetGroups: targetGroupArns.map((arn) => ({
        arn,
        name: arn.split("/")[1] ?? arn,
        targetType: targetTypeOf(arn, config),
        loadBalancerArns: [],
        healthChecksEnabled: true,
      })),
    }),
  };
}

function balancerOf(listenerArn: string): string {
  return listenerArn.replace(":listener/", ":loadbalancer/").split("/").slice(0, 4).join("/");
}

function targetTypeOf(arn: string, { services }: EnvironmentConfig): "ip" | "instance" {
  const owner = services.find(({ baseline, canary }) =>
    [baseline, canary].some((release) => release?.targetGroupArn === arn),
  );
  return owner?.targetGroup.targetType ?? "ip";
}

function rulesOf(
  listenerArn: string,
  balancers: LoadBalancers,
  config: EnvironmentConfig,
  foreign: readonly SurveyedRule[],
): SurveyedRule[] {
  const answers404: SurveyedRule = {
    arn: `${listenerArn}/default`,
    priority: "default",
    conditions: [],
    actions: [{ type: "fixed-response", statusCode: "404" }],
  };
  const known = foreign.filter(({ priority }) => priority !== "default").map(({ arn }) => arn);
  return [
    ...balancers.rulesOf(listenerArn).map(ownRule),
    ...foreign.filter(({ priority }) => priority !== "default"),
    ...adoptedRules(listenerArn, config).filter(({ arn }) => !known.includes(arn)),
    foreign.find(({ priority }) => priority === "default") ?? answers404,
  ].sort((left, right) => orderOf(left) - orderOf(right));
}

function orderOf({ priority }: SurveyedRule): number {
  return priority === "default" ? Number.POSITIVE_INFINITY : priority;
}

/** The adopted rules that a config names, as the adoption would have them. */
function adoptedRules(listenerArn: string, { network, services }: EnvironmentConfig): SurveyedRule[] {
  return services.flatMap(({ name, routes, baseline }) =>
    routes.flatMap(({ listenerArn: own = network.listenerArn, match, priority }): SurveyedRule[] => {
      if (match.ruleArn === undefined || own !== listenerArn) return [];
      const arn = baseline.targetGroupArn;
      return [
        {
          arn: match.ruleArn,
          priority: priority + 3,
          conditions: [{ field: "host-header", values: [`${name}-${priority}.rehearsal.example`] }],
          actions: [{ type: "forward", targetGroups: arn === undefined ? [] : [{ arn, weight: 1 }] }],
        },
      ];
    }),
  );
}

function ownRule({ arn, priority, tags, conditions, action }: Rule): SurveyedRule {
  return {
    arn,
    priority,
    conditions,
    actions: [
      {
        type: "forward",
        targetGroups: Object.entries(action.weights).map(([group, weight]) => ({ arn: group, weight })),
        ...(action.stickinessSeconds === undefined ? {} : { stickinessSeconds: action.stickinessSeconds }),
      },
    ],
    ours: {
      environment: tags[ruleTags.environment] ?? "",
      service: tags[ruleTags.service] ?? "",
      role: tags[ruleTags.role] ?? "",
    },
  };
}

/** Conditions of a captured rule, in the survey's words. @throws NotRehearsedError on a kind that our rules never have */
export function surveyedConditions(inputs: PlainValue | undefined): SurveyedCondition[] {
  return (Array.isArray(inputs) ? inputs : []).map((condition): SurveyedCondition => {
    const values = (key: string) => textsAt(condition, key, "values");
    if (fieldOf(condition, "hostHeader")) return { field: "host-header", values: values("hostHeader") };
    if (fieldOf(condition, "pathPattern")) return { field: "path-pattern", values: values("pathPattern") };
    if (fieldOf(condition, "sourceIp")) return { field: "source-ip", values: values("sourceIp") };
    if (fieldOf(condition, "httpRequestMethod"))
      return { field: "http-request-method", values: values("httpRequestMethod") };
    const header = fieldOf(condition, "httpHeader");
    if (header) {
      const httpHeaderName = String(fieldOf(header, "httpHeaderName") ?? "");
      return { field: "http-header", httpHeaderName, values: values("httpHeader") };
    }
    const queries = fieldOf(condition, "queryStrings");
    if (Array.isArray(queries)) {
      const queryStrings = queries.map((query: PlainValue) => {
        const key = fieldOf(query, "key");
        return { ...(typeof key === "string" ? { key } : {}), value: String(fieldOf(query, "value") ?? "") };
      });
      return { field: "query-string", values: [], queryStrings };
    }
    throw new NotRehearsedError(`rule condition ${JSON.stringify(condition)}: not modelled`);
  });
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function textsAt(value: unknown, ...keys: string[]): string[] {
  const found = keys.reduce(fieldOf, value);
  return Array.isArray(found) ? found.map(String) : [];
}
