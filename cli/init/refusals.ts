/** What `init` refuses by itself, and what it notes, in whole messages. */
import { join } from "node:path";
import type { SurveyedRule } from "../../core/survey.ts";
import { RefusedError } from "../failures.ts";
import { readIfThere } from "./files.ts";
import type { InitFlags } from "./gather.ts";
import { ruleText } from "./rule-text.ts";
import type { StackPlan } from "./stack-text.ts";

export function refusal(problems: readonly string[]): RefusedError {
  const count = problems.length === 1 ? "1 reason" : `${problems.length} reasons`;
  return new RefusedError(
    [`tidegate init: refused for ${count}; nothing was written:`, ...problems.map((problem) => `  ${problem}`)].join(
      "\n",
    ),
  );
}

/** A rehearsal reads the foundation's file as Pulumi reads its outputs. */
export function absentFoundation({ foundation }: StackPlan, directory: string): string[] {
  const name = `Pulumi.${foundation.split("/").at(-1)}.yaml`;
  if (foundation === "here" || readIfThere(join(directory, name)) !== undefined) return [];
  return [
    `${name} is not in this folder: tidegate rehearse needs it, so copy it from where stack ${foundation} is kept`,
  ];
}

/** `/*` matches everything, and whoever adds a rule later has to know. */
export function catchAllNotice({ priority }: StackPlan): string {
  return `Tidegate's rule takes every request that none before it does: from now on a new rule of yours needs a priority below ${priority}`;
}

/** A listener that was not found, by the flag that was typed. */
export function notThere(flags: InitFlags, listenerArn: string, region: string): string {
  const flag = flags.listener === undefined && flags.rule?.startsWith("arn:") ? "--rule" : "--listener";
  const got = flag === "--rule" ? flags.rule : listenerArn;
  const other = listenerArn.split(":")[3] ?? "";
  if (other === region)
    return `${flag}: not in this account and region, got ${got}; expected one in ${region}. Check --region and --profile`;
  const where = flags.region === undefined ? "the region is" : "--region is";
  return `${flag}: in another region, got ${got}; expected one in ${region}, which ${where}. Say --region ${other}`;
}

export function managedListener(managedBy: string): string {
  return `--listener: its load balancer is written by a controller, which would undo every weight, got ${managedBy}; expected one that no Ingress manages. Choose another`;
}

/** A rule without a target group has nothing that a release could take over from. */
export function silentRule(rule: SurveyedRule): string {
  return `--rule: forwards to no target group, got ${ruleText(rule)}; expected a rule that forwards to the group which serves now. Choose another`;
}
