/** An account in memory for `init`, a scripted person, and the command run in a folder of its own. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Estate, FoundGroup } from "../../cli/init/estate.ts";
import type { InitFlags } from "../../cli/init/gather.ts";
import type { Choice, Questions } from "../../cli/init/questions.ts";
import { type InitOutside, initCommand } from "../../cli/init.ts";
import type { SurveyedCondition, SurveyedRule } from "../../core/survey.ts";

const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
export const loadBalancerArn = `${elb}:loadbalancer/app/shop/50dc6c495c0c9188`;
export const listenerArn = `${elb}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2`;
export const ruleArn = (priority: number | "default") =>
  `${elb}:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/${String(priority).padStart(16, "0")}`;
export const groupArn = (name: string) => `${elb}:targetgroup/${name}/73e2d6bc24d8a067`;

export const host = (...values: string[]): SurveyedCondition => ({ field: "host-header", values });
export const path = (...values: string[]): SurveyedCondition => ({ field: "path-pattern", values });

export function aRule(
  priority: number | "default",
  conditions: readonly SurveyedCondition[],
  ...groups: readonly (string | { readonly name: string; readonly weight: number })[]
): SurveyedRule {
  const targetGroups = groups.map((group) =>
    typeof group === "string"
      ? { arn: groupArn(group), weight: 1 }
      : { arn: groupArn(group.name), weight: group.weight },
  );
  return { arn: ruleArn(priority), priority, conditions, actions: [{ type: "forward", targetGroups }] };
}

export const usualRules: readonly SurveyedRule[] = [
  aRule(20, [host("admin.example.com")], "admin"),
  aRule(200, [host("shop.example.com"), path("/checkout/*", "/cart/*")], "checkout-blue"),
  aRule(201, [host("shop.example.com"), path("/checkout/pay")], "payments"),
  {
    ...aRule(300, [path("/old/*")]),
    actions: [{ type: "redirect", statusCode: "HTTP_301" }],
  },
  aRule("default", [], "web"),
];

/** One service in front of rule 200, with a canary. */
export const usualFlags = {
  stack: "prod",
  service: "checkout",
  environment: "production",
  listener: listenerArn,
  rule: "200",
  baselineVersion: "2.3.1",
  canaryGroup: "checkout-green",
  canaryVersion: "2.4.0",
  email: "shop-on-call@example.com",
  yes: true,
};

const usualGroups = ["admin", "checkout-blue", "checkout-green", "payments", "web"];

export class Account {
  rules = usualRules;
  groups: readonly FoundGroup[] = usualGroups.map((name) => ({
    arn: groupArn(name),
    name,
    targetType: "ip",
    vpcId: "vpc-0f1e2d3c4b5a69788",
    loadBalancerArns: name === "checkout-green" ? [] : [loadBalancerArn],
  }));
  /** A controller that writes the load balancer's rules. */
  managedBy: string | undefined;
  /** Names of DynamoDB tables. */
  tables: readonly string[] = [];

  estate(): Estate {
    const groupByArn = new Map(this.groups.map((group) => [group.arn, group]));
    return {
      account: async () => "123456789012",
      loadBalancers: async () => [{ arn: loadBalancerArn, name: "shop", vpcId: "vpc-0f1e2d3c4b5a69788" }],
      listeners: async () => [{ arn: listenerArn, port: 443, protocol: "HTTPS" }],
      targetGroups: async () => this.groups,
      hasTable: async (name) => this.tables.includes(name),
      survey: async (query) => ({
        loadBalancers: [
          {
            arn: loadBalancerArn,
            name: "shop",
            vpcId: "vpc-0f1e2d3c4b5a69788",
            ...(this.managedBy === undefined ? {} : { managedBy: this.managedBy }),
          },
        ],
        listeners: query.listenerArns.includes(listenerArn)
          ? [{ arn: listenerArn, loadBalancerArn, port: 443, protocol: "HTTPS", rules: this.rules }]
          : [],
        targetGroups: query.targetGroupArns.flatMap((arn) => {
          const group = groupByArn.get(arn);
          return group
            ? [{ ...group, targetType: "ip" as const, port: 8_080, protocol: "HTTP", healthChecksEnabled: true }]
            : [];
        }),
      }),
    };
  }
}

/** Answers in the order in which they are asked for; a choice by a part of its name, `""` takes what is offered. */
export class Person implements Questions {
  readonly asked: string[] = [];
  private readonly answers: string[];

  constructor(...answers: string[]) {
    this.answers = answers;
  }

  private next(question: string): string {
    this.asked.push(question);
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error(`nobody answers ${question}`);
    return answer;
  }

  async select<T>(message: string, choices: readonly Choice<T>[]): Promise<T> {
    const answer = this.next([message, ...choices.map(({ name }) => `  ${name}`)].join("\n"));
    const found = choices.find(({ name }) => name.includes(answer));
    if (!found) throw new Error(`no choice ${answer}`);
    return found.value;
  }

  async input(message: string, fallback: string | undefined, problem: (text: string) => string | undefined) {
    const answer = this.next(fallback === undefined ? message : `${message} [${fallback}]`) || (fallback ?? "");
    const wrong = problem(answer);
    if (wrong) throw new Error(wrong);
    return answer;
  }

  async confirm(message: string): Promise<boolean> {
    return this.next(message) === "yes";
  }
}

/** A folder with nothing in it but an installed Tidegate. */
export function emptyFolder(files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), "tidegate-init-"));
  mkdirSync(join(directory, "node_modules/tidegate/stacks"), { recursive: true });
  writeFileSync(join(directory, "node_modules/tidegate/stacks/index.ts"), "");
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

/** Texts by name, without what is installed. */
export function filesIn(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter((name) => name !== "node_modules");
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(directory, name), "utf8")]));
}

export interface InitRun {
  readonly out: string;
  readonly error: string;
  /** Message of what was thrown; empty: nothing was. */
  readonly thrown: string;
  readonly thrownName: string;
}

export async function runInit(
  flags: InitFlags,
  {
    account = new Account(),
    directory = emptyFolder(),
    person,
    variables = { AWS_REGION: "eu-west-1" },
  }: {
    readonly account?: Account;
    readonly directory?: string;
    readonly person?: Person;
    readonly variables?: InitOutside["variables"];
  } = {},
): Promise<InitRun> {
  const [out, error]: [string[], string[]] = [[], []];
  const surroundings = {
    out: (text: string) => out.push(text),
    error: (text: string) => error.push(text),
    directory,
    colours: false,
  };
  const outside: InitOutside = {
    variables,
    profileRegion: async () => undefined,
    ...(person ? { questions: person } : {}),
    estate: async () => account.estate(),
  };
  let thrown: Error | undefined;
  try {
    await initCommand(flags, surroundings, outside);
  } catch (failure) {
    thrown = failure instanceof Error ? failure : new Error(String(failure));
  }
  const all = { out: out.join("\n"), error: error.join("\n") };
  return { ...all, thrown: thrown?.message ?? "", thrownName: thrown?.name ?? "" };
}
