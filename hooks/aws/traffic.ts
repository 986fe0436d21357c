/**
 * Listener rules and target health on ELBv2.
 *
 * ELBv2 knows no conditional write: ModifyRule replaces the whole list. So a rule is read as it stands, anything here that is
 * more than one forward action is refused by name, and what is written says everything, stickiness off included.
 */
import {
  type Action,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  paginateDescribeListeners,
  paginateDescribeLoadBalancers,
  paginateDescribeRules,
  type Rule,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { ForwardAction, ListenerRef, TargetHealth, Traffic } from "../ports.ts";
import { awsErrorName, batches, call } from "./call.ts";
import { checkForwardAction } from "./forward-limits.ts";

/** A rule that does something this version does not model. */
export class RuleUnreadableError extends Error {
  override readonly name = "RuleUnreadableError";
}

/**
 * ARNs in one call. DescribeTags takes 20 (ELBv2 API reference, read 2026-11); DescribeRules documents no number, so the same.
 */
const arnsPerCall = 20;

/** Tags that every rule of ours carries; `WaveRouter` writes them. */
export const ruleTags = {
  environment: "tidegate:environment",
  service: "tidegate:service",
  role: "tidegate:role",
} as const;

/** Traffic on the listeners of one account and region. */
export function elbTraffic(client: ElasticLoadBalancingV2Client): Traffic {
  /** Rules that exist. AWS refuses the whole call when one is gone, so a refused batch is halved until that one is alone. */
  async function existingRules(ruleArns: readonly string[]): Promise<Rule[]> {
    try {
      const answer = await call(`rules ${ruleArns.join(", ")}: reading them`, () =>
        client.send(new DescribeRulesCommand({ RuleArns: [...ruleArns] })),
      );
      return answer.Rules ?? [];
    } catch (error) {
      if (awsErrorName(error) !== "RuleNotFoundException") throw error;
      if (ruleArns.length === 1) return [];
      const middle = Math.ceil(ruleArns.length / 2);
      return [...(await existingRules(ruleArns.slice(0, middle))), ...(await existingRules(ruleArns.slice(middle)))];
    }
  }

  async function readRules(ruleArns: readonly string[]): Promise<Record<string, ForwardAction>> {
    const actions: Record<string, ForwardAction> = {};
    for (const batch of batches([...new Set(ruleArns)], arnsPerCall)) {
      for (const rule of await existingRules(batch)) {
        if (rule.RuleArn !== undefined) actions[rule.RuleArn] = forwardActionOf(rule.RuleArn, rule.Actions ?? []);
      }
    }
    return actions;
  }

  async function writeRule(ruleArn: string, action: ForwardAction): Promise<void> {
    checkForwardAction(ruleArn, action);
    const modify = new ModifyRuleCommand({ RuleArn: ruleArn, Actions: [awsActionOf(action)] });
    await call(`rule ${ruleArn}: writing its weights`, () => client.send(modify));
  }

  async function targetHealth(targetGroupArn: string): Promise<TargetHealth> {
    const answer = await call(`target group ${targetGroupArn}: reading its health`, () =>
      client.send(new DescribeTargetHealthCommand({ TargetGroupArn: targetGroupArn })),
    );
    // A draining target has left: it takes no new request and is no part of the capacity.
    const targets = (answer.TargetHealthDescriptions ?? []).filter(
      (target) => target.TargetHealth?.State !== "draining",
    );
    return {
      healthyCount: targets.filter(({ TargetHealth: found }) => canServe(found)).length,
      totalCount: targets.length,
    };
  }

  /** ARNs of the listeners meant; none where the listener's load balancer is not there. */
  async function listenersOf(listener: ListenerRef): Promise<string[]> {
    if ("arn" in listener) return [listener.arn];
    const name = listener.loadBalancerName;
    const balancers = await collect(
      `load balancer ${name}: looking it up`,
      paginateDescribeLoadBalancers({ client }, { Names: [name] }),
      (page) => page.LoadBalancers,
      "LoadBalancerNotFoundException",
    );
    const arns: string[] = [];
    for (const balancer of balancers) {
      const listeners = await collect(
        `load balancer ${name}: reading its listeners`,
        paginateDescribeListeners({ client }, { LoadBalancerArn: balancer.LoadBalancerArn }),
        (page) => page.Listeners,
        "LoadBalancerNotFoundException",
      );
      arns.push(...listeners.map((found) => found.ListenerArn).filter((arn) => arn !== undefined));
    }
    return arns;
  }

  async function findMainRules(query: Parameters<Traffic["findMainRules"]>[0]): Promise<string[]> {
    const ruleArns: string[] = [];
    for (const listenerArn of await listenersOf(query.listener)) {
      const rules = await collect(
        `listener ${listenerArn}: reading its rules`,
        paginateDescribeRules({ client }, { ListenerArn: listenerArn }),
        (page) => page.Rules,
        "ListenerNotFoundException",
      );
      for (const rule of rules) if (!rule.IsDefault && rule.RuleArn !== undefined) ruleArns.push(rule.RuleArn);
    }
    const wanted = { environment: query.environment, service: query.service, role: "main" };
    const found: string[] = [];
    for (const batch of batches(ruleArns, arnsPerCall)) {
      const answer = await call(`rules ${batch.join(", ")}: reading their tags`, () =>
        client.send(new DescribeTagsCommand({ ResourceArns: batch })),
      );
      for (const described of answer.TagDescriptions ?? []) {
        const tags = new Map((described.Tags ?? []).map((tag) => [tag.Key, tag.Value]));
        const ours = (Object.keys(ruleTags) as (keyof typeof ruleTags)[]).every(
          (tag) => tags.get(ruleTags[tag]) === wanted[tag],
        );
        if (ours && described.ResourceArn !== undefined) found.push(described.ResourceArn);
      }
    }
    return found.sort();
  }

  return { readRules, writeRule, targetHealth, findMainRules };
}

/**
 * Whether a target takes requests. A function without health checks, which is how Lambda groups come, is never found healthy and is
 * sent every request all the same. Source: ELBv2 API reference, TargetHealth, read 2026-11.
 */
function canServe(found: { readonly State?: string; readonly Reason?: string } | undefined): boolean {
  return (
    found?.State === "healthy" || (found?.State === "unavailable" && found.Reason === "Target.HealthCheckDisabled")
  );
}

/** All pages of a list; empty where AWS says, under `missing`, that its parent does not exist. */
async function collect<Page, Found>(
  doing: string,
  pages: AsyncIterable<Page>,
  take: (page: Page) => Found[] | undefined,
  missing: string,
): Promise<Found[]> {
  try {
    return await call(doing, async () => {
      const found: Found[] = [];
      for await (const page of pages) found.push(...(take(page) ?? []));
      return found;
    });
  } catch (error) {
    if (awsErrorName(error) === missing) return [];
    throw error;
  }
}

/**
 * One forward action in our words.
 * @throws RuleUnreadableError where the rule authenticates, redirects, or forwards in a form unknown here
 */
function forwardActionOf(ruleArn: string, actions: readonly Action[]): ForwardAction {
  const refuse = (found: string) =>
    new RuleUnreadableError(
      `rule ${ruleArn}: its action is not ours, got ${found}; expected one forward action. Someone else wrote this rule: give it back its weights, or remove it`,
    );
  const [action] = actions;
  if (actions.length !== 1 || action?.Type !== "forward") {
    throw refuse(actions.map((each) => each.Type).join(", ") || "no action");
  }
  // The short form, one group and no list, means that group has everything.
  const groups = action.ForwardConfig?.TargetGroups ?? [{ TargetGroupArn: action.TargetGroupArn, Weight: 1 }];
  const weights: Record<string, number> = {};
  for (const { TargetGroupArn, Weight = 1 } of groups) {
    if (TargetGroupArn === undefined) throw refuse("a forward action without a target group");
    weights[TargetGroupArn] = Weight;
  }
  if (groups.length === 0) throw refuse("a forward action without a target group");
  const sticky = action.ForwardConfig?.TargetGroupStickinessConfig;
  if (!sticky?.Enabled) return { weights };
  if (sticky.DurationSeconds === undefined) throw refuse("stickiness without a duration");
  return { weights, stickinessSeconds: sticky.DurationSeconds };
}

function awsActionOf({ weights, stickinessSeconds }: ForwardAction): Action {
  return {
    Type: "forward",
    ForwardConfig: {
      TargetGroups: Object.entries(weights).map(([TargetGroupArn, Weight]) => ({ TargetGroupArn, Weight })),
      TargetGroupStickinessConfig:
        stickinessSeconds === undefined ? { Enabled: false } : { Enabled: true, DurationSeconds: stickinessSeconds },
    },
  };
}
