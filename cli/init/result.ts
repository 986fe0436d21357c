/** What `init` says at its end: what was written, what it means for the traffic, and the exact commands that come next. */
import { diffText, type PlannedFile } from "./files.ts";
import { groupName } from "./rule-text.ts";
import type { StackPlan } from "./stack-text.ts";

export interface InitResult {
  readonly stack: string;
  readonly accountId: string;
  readonly plan: StackPlan;
  /** What the checks say besides; none of it forbids. */
  readonly notices: readonly string[];
  readonly files: readonly PlannedFile[];
  /** Commands that install Tidegate in the folder; empty: it is. */
  readonly install: readonly string[];
  /** Folder of the policy pack. */
  readonly packFolder: string;
  readonly profile?: string;
  readonly isDryRun: boolean;
}

/** Exact commands, in order. */
export function nextSteps({ stack, plan, install, profile }: Omit<InitResult, "files">): string[] {
  return [
    ...(profile === undefined ? [] : [`export AWS_PROFILE=${profile}`]),
    ...install,
    ...(plan.canary ? [`npx tidegate rehearse --stack ${stack}`] : []),
    `pulumi stack init ${stack}`,
    `pulumi preview --stack ${stack}`,
    `pulumi up --stack ${stack}`,
  ];
}

export function resultLines(result: InitResult): string[] {
  const { plan, files, isDryRun, notices, accountId } = result;
  const told = isDryRun
    ? [...files.flatMap(diffText), "", "Nothing was written (--dry-run)."]
    : files.map(({ name }) => `written: ${name}`);
  return [
    ...told,
    "",
    `${plan.service} takes the requests of rule ${plan.ruleText} (${plan.listenerText}, account ${accountId}, ${plan.region}).`,
    `All of them keep going to ${groupName(plan.baseline.targetGroupArn)}, version ${plan.baseline.version}. Tidegate's own rules get priorities ${plan.priority} to ${plan.priority + 2}; yours stay as they are.`,
    ...notices.map((notice) => `note: ${notice}`),
    "",
    "Next:",
    ...nextSteps(result).map((command) => `  ${command}`),
    `Policies: preview and up take --policy-pack ${result.packFolder}`,
  ];
}

/** Fields are never renamed or dropped, only added. */
export interface InitJson {
  readonly command: "init";
  readonly outcome: "written" | "planned";
  readonly stack: string;
  readonly accountId: string;
  readonly region: string;
  readonly environment: string;
  readonly foundation: string;
  readonly service: string;
  readonly listenerArn: string;
  /** The adopted rule; `null`: what no rule takes. */
  readonly ruleArn: string | null;
  readonly priority: number;
  readonly baselineGroupArn: string;
  readonly canaryGroupArn: string | null;
  readonly notices: readonly string[];
  readonly files: readonly {
    readonly name: string;
    readonly change: "new" | "replaced" | "unchanged";
    readonly text: string;
  }[];
  readonly next: readonly string[];
  /** For `--policy-pack`. */
  readonly policyPack: string;
}

export function resultJson(result: InitResult): InitJson {
  const { plan, files } = result;
  return {
    command: "init",
    outcome: result.isDryRun ? "planned" : "written",
    stack: result.stack,
    accountId: result.accountId,
    region: plan.region,
    environment: plan.environment,
    foundation: plan.foundation,
    service: plan.service,
    listenerArn: plan.listenerArn,
    ruleArn: plan.ruleArn ?? null,
    priority: plan.priority,
    baselineGroupArn: plan.baseline.targetGroupArn,
    canaryGroupArn: plan.canary?.targetGroupArn ?? null,
    notices: result.notices,
    files: files.map(({ name, text, before }) => ({
      name,
      change: before === undefined ? "new" : before === text ? "unchanged" : "replaced",
      text,
    })),
    next: nextSteps(result),
    policyPack: result.packFolder,
  };
}
