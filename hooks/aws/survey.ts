/**
 * What hangs on load balancers that exist already, for adoption. It runs where the program and `tidegate init` run and never in the hook,
 * whose role may not read half of this.
 */
import {
  DescribeTagsCommand,
  DescribeTargetGroupAttributesCommand,
  type ElasticLoadBalancingV2Client,
  type Listener,
  type LoadBalancer,
  paginateDescribeListeners,
  paginateDescribeLoadBalancers,
  paginateDescribeRules,
  paginateDescribeTargetGroups,
  type Rule,
  type TargetGroup,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Survey, Surveyor } from "../../core/survey.ts";
import { awsErrorName, batches, call } from "./call.ts";
import { needed, surveyedBalancer, surveyedGroup, surveyedListener, type Tags } from "./survey-words.ts";

/** ARNs in one DescribeTags call. Source: ELBv2 API reference, read 2026-11. */
const arnsPerCall = 20;

/** Reads ELBv2 of one account and region. */
export function awsSurveyor(client: ElasticLoadBalancingV2Client): Surveyor {
  const rulesOf = (listenerArn: string) =>
    collect(
      `listener ${listenerArn}: reading its rules`,
      paginateDescribeRules({ client }, { ListenerArn: listenerArn }),
      (page) => page.Rules,
    );

  /** What exists of these ARNs. AWS refuses the whole call when one is gone, so each is asked for alone. */
  async function listenersOf(arns: readonly string[]): Promise<Listener[]> {
    const found = await Promise.all(
      arns.map((arn) =>
        ifThere(
          "ListenerNotFoundException",
          collect(
            `listener ${arn}: looking it up`,
            paginateDescribeListeners({ client }, { ListenerArns: [arn] }),
            (page) => page.Listeners,
          ),
        ),
      ),
    );
    return found.flat();
  }

  async function balancersOf(arns: readonly string[]): Promise<LoadBalancer[]> {
    const found = await Promise.all(
      arns.map((arn) =>
        ifThere(
          "LoadBalancerNotFoundException",
          collect(
            `load balancer ${arn}: looking it up`,
            paginateDescribeLoadBalancers({ client }, { LoadBalancerArns: [arn] }),
            (page) => page.LoadBalancers,
          ),
        ),
      ),
    );
    return found.flat();
  }

  async function groupsOf(arns: readonly string[]): Promise<TargetGroup[]> {
    const found = await Promise.all(
      arns.map((arn) =>
        ifThere(
          "TargetGroupNotFoundException",
          collect(
            `target group ${arn}: looking it up`,
            paginateDescribeTargetGroups({ client }, { TargetGroupArns: [arn] }),
            (page) => page.TargetGroups,
          ),
        ),
      ),
    );
    return found.flat();
  }

  async function tagsOf(arns: readonly string[]): Promise<ReadonlyMap<string, Tags>> {
    const tags = new Map<string, Tags>();
    for (const batch of batches([...new Set(arns)], arnsPerCall)) {
      const answer = await call(`${batch.join(", ")}: reading their tags`, () =>
        client.send(new DescribeTagsCommand({ ResourceArns: batch })),
      );
      for (const { ResourceArn, Tags: own } of answer.TagDescriptions ?? []) {
        if (ResourceArn === undefined) continue;
        tags.set(ResourceArn, new Map((own ?? []).flatMap(({ Key, Value }) => (Key ? [[Key, Value ?? ""]] : []))));
      }
    }
    return tags;
  }

  async function attributesOf(arn: string): Promise<Tags> {
    const answer = await call(`target group ${arn}: reading its attributes`, () =>
      client.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn: arn })),
    );
    return new Map((answer.Attributes ?? []).flatMap(({ Key, Value }) => (Key ? [[Key, Value ?? ""]] : [])));
  }

  /** What hangs on a load balancer, counted over all of its listeners. */
  async function counted(arn: string, known: ReadonlyMap<string, readonly Rule[]>) {
    const [groups, listeners] = await Promise.all([
      // A load balancer that forwards to none yet.
      ifThere(
        "TargetGroupNotFoundException",
        collect(
          `load balancer ${arn}: reading its target groups`,
          paginateDescribeTargetGroups({ client }, { LoadBalancerArn: arn }),
          (page) => page.TargetGroups,
        ),
      ),
      collect(
        `load balancer ${arn}: reading its listeners`,
        paginateDescribeListeners({ client }, { LoadBalancerArn: arn }),
        (page) => page.Listeners,
      ),
    ]);
    const rules = await Promise.all(
      listeners.map(({ ListenerArn = "" }) => known.get(ListenerArn) ?? rulesOf(ListenerArn)),
    );
    return {
      targetGroupArns: groups.map((group) => needed(group.TargetGroupArn, "a target group without an ARN")),
      ruleCount: rules.flat().filter((rule) => !rule.IsDefault).length,
    };
  }

  return {
    async survey(query): Promise<Survey> {
      const [listeners, groups] = await Promise.all([
        listenersOf([...new Set(query.listenerArns)]),
        groupsOf([...new Set(query.targetGroupArns)]),
      ]);
      const rules = new Map(
        await Promise.all(
          listeners.map(async ({ ListenerArn = "" }) => [ListenerArn, await rulesOf(ListenerArn)] as const),
        ),
      );
      const balancers = await balancersOf([
        ...new Set(
          listeners.map(({ LoadBalancerArn }) => needed(LoadBalancerArn, "a listener without a load balancer")),
        ),
      ]);
      const defaults = [...rules.values()].flat().filter((rule) => rule.IsDefault);
      const ruleArns = [...rules.values()].flat().flatMap(({ RuleArn }) => (RuleArn === undefined ? [] : [RuleArn]));
      const [tags, attributes, counts] = await Promise.all([
        tagsOf([
          // A default rule cannot be tagged.
          ...ruleArns.filter((arn) => !defaults.some((rule) => rule.RuleArn === arn)),
          ...listeners.flatMap(({ ListenerArn }) => ListenerArn ?? []),
          ...balancers.flatMap(({ LoadBalancerArn }) => LoadBalancerArn ?? []),
          ...groups.flatMap(({ TargetGroupArn }) => TargetGroupArn ?? []),
        ]),
        Promise.all(groups.map(({ TargetGroupArn = "" }) => attributesOf(TargetGroupArn))),
        Promise.all(balancers.map(({ LoadBalancerArn = "" }) => counted(LoadBalancerArn, rules))),
      ]);
      const tagged = (arn: string | undefined): Tags => tags.get(arn ?? "") ?? new Map();
      return {
        loadBalancers: balancers.map((found, index) => surveyedBalancer(found, tagged, counts[index])),
        listeners: listeners.map((found) => surveyedListener(found, rules.get(found.ListenerArn ?? "") ?? [], tagged)),
        targetGroups: groups.map((found, index) => surveyedGroup(found, tagged, attributes[index] ?? new Map())),
      };
    },
  };
}

/** All pages of a list. */
async function collect<Page, Found>(
  doing: string,
  pages: AsyncIterable<Page>,
  take: (page: Page) => Found[] | undefined,
): Promise<Found[]> {
  return call(doing, async () => {
    const found: Found[] = [];
    for await (const page of pages) found.push(...(take(page) ?? []));
    return found;
  });
}

/** Empty where AWS says, under `missing`, that there is no such thing. */
async function ifThere<Found>(missing: string, reading: Promise<Found[]>): Promise<Found[]> {
  try {
    return await reading;
  } catch (error) {
    if (awsErrorName(error) === missing) return [];
    throw error;
  }
}
