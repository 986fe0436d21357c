/**
 * `tidegate init`: a stack file, and the program beside it, for one service of a load balancer that is in production already. Looks up
 * what the account can tell, asks for the rest, refuses what adoption would refuse, and only then writes.
 */

import { join } from "node:path";
import { regionPattern } from "../core/aws-patterns.ts";
import { exposuresOf, planPresets } from "../core/plans.ts";
import type { Survey, SurveyedRule } from "../core/survey.ts";
import { credentialsOf, realOutside } from "./aws-place.ts";
import type { Surroundings } from "./command.ts";
import { RefusedError } from "./failures.ts";
import { Answers } from "./init/answers.ts";
import { carryOver } from "./init/carry-over.ts";
import { adoptionProblems, configProblems } from "./init/checks.ts";
import type { Estate } from "./init/estate.ts";
import { diffText, packFolder, planned, programFiles, readIfThere, writeFiles } from "./init/files.ts";
import { foundationFiles } from "./init/foundations.ts";
import { askListener, askRule, askSetting, type InitFlags, type Setting } from "./init/gather.ts";
import { lastPriority, placeFor } from "./init/priority.ts";
import { type Questions, terminalQuestions } from "./init/questions.ts";
import { absentFoundation, catchAllNotice, managedListener, notThere, refusal, silentRule } from "./init/refusals.ts";
import { resultJson, resultLines } from "./init/result.ts";
import { mainGroup, ruleText } from "./init/rule-text.ts";
import { askService, type ServiceAnswers } from "./init/service-answers.ts";
import { heldAlready, siblingServices, takenNames } from "./init/siblings.ts";
import { type StackPlan, stackText } from "./init/stack-text.ts";
import { jsonText } from "./json.ts";
import type { Outside } from "./outside.ts";

/** What `init` needs from machine and account. Tests give their own. */
export interface InitOutside {
  readonly variables: Outside["variables"];
  readonly profileRegion: Outside["profileRegion"];
  /** Absent: nobody can be asked. */
  readonly questions?: Questions;
  /** Makes no call by itself. */
  estate(region: string, profile: string | undefined): Promise<Estate>;
}

function realInit(): InitOutside {
  const outside = realOutside();
  return {
    variables: outside.variables,
    profileRegion: outside.profileRegion,
    ...(outside.terminal.isInteractive ? { questions: terminalQuestions() } : {}),
    async estate(region, profile) {
      const { awsEstate } = await import("./init/aws-estate.ts");
      const access = { environment: "", region, ...(profile === undefined ? {} : { profile }) };
      return awsEstate(region, await credentialsOf(access, outside.variables, outside.terminal), profile);
    },
  };
}

/**
 * Runs the command.
 * @throws BadInputError with every answer that is missing or wrong
 * @throws RefusedError where the rule cannot be adopted; nothing was written
 */
export async function initCommand(
  flags: InitFlags,
  surroundings: Surroundings,
  outside: InitOutside = realInit(),
): Promise<void> {
  const answers = new Answers(outside.questions);
  const { directory } = surroundings;
  const program = programFiles(directory);
  answers.problems.push(...program.problems);
  if (flags.stack !== undefined) answers.problems.push(...stackProblems(flags.stack, flags, directory));
  const region = await askRegion(flags, answers, outside);
  if (region === undefined) return answers.throwIfAny();
  const estate = await outside.estate(region, flags.profile);
  const accountId = await estate.account();
  const wanted = await gather(flags, answers, estate, region, directory);
  const stack = await askStack(flags, answers, wanted, directory);
  const written = wanted && stack ? plannedStack(directory, stack, wanted.plan, answers) : undefined;
  const files = [...(written ? [written.file] : []), ...program.files];
  if (!flags.dryRun && answers.problems.length === 0 && outside.questions && !flags.yes)
    for (const file of files) for (const line of diffText(file)) surroundings.error(line);
  const agreed = flags.dryRun === true || (await answers.agreed(flags.yes === true, "Write these files?"));
  answers.throwIfAny();
  if (!wanted || !stack || !written) throw new Error("init: answers without problems came out incomplete");
  if (!agreed) throw new RefusedError("tidegate init: not agreed to; nothing was written");

  if (!flags.dryRun) writeFiles(directory, files);
  const result = {
    stack,
    accountId,
    plan: wanted.plan,
    notices: [...wanted.notices, ...written.notices],
    files,
    install: program.install,
    packFolder: packFolder(directory),
    ...(flags.profile === undefined ? {} : { profile: flags.profile }),
    isDryRun: flags.dryRun === true,
  };
  surroundings.out(flags.json ? jsonText(resultJson(result)) : resultLines(result).join("\n"));
}

/** The stack file, over one that is there: what is not Tidegate's in it stays, and what is and gets lost is named. */
function plannedStack(directory: string, stack: string, plan: StackPlan, answers: Answers) {
  const file = planned(directory, `Pulumi.${stack}.yaml`, stackText(plan));
  if (file.before === undefined) return { file, notices: [] };
  const carried = carryOver(file.text, file.before);
  if (!carried) {
    answers.problems.push(
      `--stack: ${file.name} is no YAML, so nothing of it can be kept, got "${stack}"; expected a file that can be read. Repair or remove it`,
    );
    return undefined;
  }
  const { text, dropped } = carried;
  const notices = dropped.length === 0 ? [] : [`${file.name} loses ${dropped.join(", ")}, as it is written anew`];
  return { file: { ...file, text }, notices };
}

interface Wanted {
  readonly setting: Setting;
  readonly said: ServiceAnswers;
  readonly plan: StackPlan;
  readonly notices: readonly string[];
}

/** Asks and checks; `undefined` after a problem. @throws RefusedError */
async function gather(
  flags: InitFlags,
  answers: Answers,
  estate: Estate,
  region: string,
  directory: string,
): Promise<Wanted | undefined> {
  const siblings = siblingServices(directory);
  const setting = await askSetting(flags, answers, estate, region, foundationFiles(directory));
  const listenerArn = await askListener(flags, answers, estate, setting);
  const first = listenerArn === undefined ? undefined : await surveyed(estate, listenerArn, []);
  const listener = first?.listeners.find(({ arn }) => arn === listenerArn);
  if (listenerArn !== undefined && !listener) {
    answers.problems.push(notThere(flags, listenerArn, region));
  }
  const managedBy = first?.loadBalancers.find(({ arn }) => arn === listener?.loadBalancerArn)?.managedBy;
  if (managedBy !== undefined && answers.isAsking) throw refusal([managedListener(managedBy)]);
  const rule = await askRule(flags, answers, listener);
  const baseline = rule && mainGroup(rule);
  if (rule && baseline === undefined) throw refusal([silentRule(rule)]);
  // What is about to be written anew may stand in front of its rule again.
  const replaced = siblings.filter(({ stack }) => stack === flags.stack && (flags.force || flags.dryRun));
  const others = siblings.filter((sibling) => !replaced.includes(sibling));
  const isReplaced = ({ ours }: SurveyedRule) =>
    replaced.some(({ service, environment }) => ours?.service === service && ours.environment === environment);
  const held = rule && listener && heldAlready(rule, listener, others, isReplaced);
  if (held !== undefined) throw refusal([held]);
  const groups = await estate.targetGroups();
  const found = { ...(listener ? { listener } : {}), ...(rule ? { rule } : {}), groups };
  const said = await askService(flags, answers, {
    ...found,
    isFoundation: (setting?.foundation ?? "here") === "here",
    taken: setting ? takenNames(others, setting.environment) : new Map(),
  });
  if (!setting || !listener || !rule || !baseline || !said || !first) return undefined;

  const place = placeFor({ ...listener, rules: listener.rules.filter((each) => !isReplaced(each)) }, rule);
  const balancer = first.loadBalancers.find(({ arn }) => arn === listener.loadBalancerArn);
  const plan: StackPlan = {
    environment: setting.environment,
    region,
    foundation: setting.foundation,
    vpcId: balancer?.vpcId ?? "",
    listenerArn: listener.arn,
    listenerText: `${listener.protocol} ${listener.port} of ${balancer?.name ?? "?"}`,
    ...(said.email === undefined ? {} : { email: said.email }),
    service: said.service,
    ...(rule.priority === "default" ? {} : { ruleArn: rule.arn }),
    ruleText: ruleText(rule),
    // Without room everything else is judged as if there were some right before the rule.
    priority: "problem" in place ? Math.max(1, Number(rule.priority) - 2 || lastPriority) : place.priority,
    baseline: { version: said.baselineVersion, targetGroupArn: baseline },
    ...(said.canary ? { canary: said.canary } : {}),
    plan: said.plan,
    waves: exposuresOf(planPresets[said.plan]),
    objectives: said.objectives,
  };
  const named = [plan.baseline.targetGroupArn, ...(said.canary ? [said.canary.targetGroupArn] : [])];
  const { refusals, notices } = adoptionProblems(plan, await surveyed(estate, listener.arn, named));
  // Without room there is no priority to judge; everything else that stands against it is told all the same.
  const reasons =
    "problem" in place ? [...refusals.filter((text) => !text.includes(".priority: ")), place.problem] : refusals;
  if (reasons.length > 0) throw refusal(reasons);
  const unusable = configProblems(plan);
  if (unusable.length > 0) throw refusal(unusable);
  return {
    setting,
    said,
    plan,
    notices: [
      ...(rule.priority === "default" ? [catchAllNotice(plan)] : []),
      ...notices,
      ...absentFoundation(plan, directory),
    ],
  };
}

async function surveyed(estate: Estate, listenerArn: string, targetGroupArns: readonly string[]): Promise<Survey> {
  return estate.survey({ listenerArns: [listenerArn], targetGroupArns });
}

/** Flag, environment, profile: the AWS CLI's order; else a person. */
async function askRegion(flags: InitFlags, answers: Answers, outside: InitOutside): Promise<string | undefined> {
  const { AWS_REGION, AWS_DEFAULT_REGION } = outside.variables;
  const known =
    flags.region ?? (AWS_REGION || AWS_DEFAULT_REGION || (await outside.profileRegion(flags.profile)) || undefined);
  return answers.text({
    flag: "--region",
    given: known,
    question: "AWS region of the load balancer",
    expected: "a region such as eu-west-1",
    isValid: (text) => regionPattern.test(text),
  });
}

const stackPattern = /^[A-Za-z0-9_.-]{1,100}$/;

async function askStack(
  flags: InitFlags,
  answers: Answers,
  wanted: Wanted | undefined,
  directory: string,
): Promise<string | undefined> {
  // Looked at before anything was asked.
  if (flags.stack !== undefined) return flags.stack;
  const beside = wanted && wanted.setting.foundation !== "here";
  return answers.text({
    flag: "--stack",
    given: undefined,
    question: "Name of the stack",
    fallback: beside ? `${wanted.setting.foundation.split("/").at(-1)}-${wanted.said.service}` : "prod",
    expected: "letters, digits, -, _ and ., and no stack file of that name",
    isValid: (text) => stackProblems(text, flags, directory).length === 0,
  });
}

function stackProblems(stack: string, { force, dryRun }: InitFlags, directory: string): string[] {
  const name = `Pulumi.${stack}.yaml`;
  if (!stackPattern.test(stack))
    return [`--stack: not a stack's name, got ${JSON.stringify(stack)}; expected letters, digits, -, _ and .`];
  if (force || dryRun || readIfThere(join(directory, name)) === undefined) return [];
  return [
    `--stack: ${name} is there already, got "${stack}"; expected a new stack. Choose another, look with --dry-run, or replace it with --force`,
  ];
}
