/** What `init` has to be told of the service itself: its name, what serves now and next, who hears of it, what is promised. */
import { isSlug, maximumServiceLength, slugRule } from "../../core/naming.ts";
import { type ObjectivePresetName, objectivePresetNames } from "../../core/objectives.ts";
import { type PlanPresetName, planPresetNames } from "../../core/plans.ts";
import type { SurveyedListener, SurveyedRule } from "../../core/survey.ts";
import type { Answers } from "./answers.ts";
import type { FoundGroup } from "./estate.ts";
import type { InitFlags } from "./gather.ts";
import { groupName, mainGroup, ruleText } from "./rule-text.ts";

const versionPattern = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
const versionRule = `1 to 64 letters, digits, ".", "_", "+" and "-", starting with a letter or digit`;

export interface ServiceAnswers {
  readonly service: string;
  readonly baselineVersion: string;
  readonly canary?: { readonly version: string; readonly targetGroupArn: string };
  /** Absent: nobody is told. */
  readonly email?: string;
  readonly plan: PlanPresetName;
  readonly objectives: ObjectivePresetName;
}

/** The rest: what no look-up says. */
export async function askService(
  flags: InitFlags,
  answers: Answers,
  found: {
    readonly listener?: SurveyedListener;
    readonly rule?: SurveyedRule;
    readonly groups: readonly FoundGroup[];
    readonly isFoundation: boolean;
    /** Services of the environment that other stacks have, with the stack. */
    readonly taken: ReadonlyMap<string, string>;
  },
): Promise<ServiceAnswers | undefined> {
  const baseline = found.rule && mainGroup(found.rule);
  const service = await answers.text({
    flag: "--service",
    given: flags.service,
    question: "Name of the service",
    ...(baseline === undefined ? {} : { suggestion: serviceFrom(groupName(baseline)) }),
    expected: `at most ${maximumServiceLength} characters: ${slugRule}${takenWords(found.taken)}`,
    isValid: (text) => isSlug(text, maximumServiceLength) && !found.taken.has(text),
  });
  const baselineVersion = await answers.text({
    flag: "--baseline-version",
    given: flags.baselineVersion,
    question: `Version that ${baseline === undefined ? "it" : groupName(baseline)} serves now`,
    expected: versionRule,
    isValid: (text) => versionPattern.test(text),
  });
  const canary = await askCanary(flags, answers, { ...found, baseline, baselineVersion });
  const email = found.isFoundation
    ? await answers.text({
        flag: "--email",
        given: flags.email,
        question: "E-mail address that hears alarms and pages, or none",
        expected: "an e-mail address, or none",
        isValid: (text) => text === "none" || /^[^\s@,"']+@[^\s@,"']+\.[^\s@,"']+$/.test(text),
      })
    : "none";
  const plan = presetOf(answers, "--plan", flags.plan, planPresetNames, "steady");
  const objectives = presetOf(answers, "--objectives", flags.objectives, objectivePresetNames, "web");
  if (service === undefined || baselineVersion === undefined || canary === undefined || email === undefined)
    return undefined;
  return {
    service,
    baselineVersion,
    ...(canary === "none" ? {} : { canary }),
    ...(email === "none" ? {} : { email }),
    plan,
    objectives,
  };
}

/** A preset is a choice that the file shows and anybody can change: not worth a question. */
function presetOf<T extends string>(
  answers: Answers,
  flag: string,
  given: string | undefined,
  names: readonly T[],
  usual: T,
): T {
  if (given === undefined) return usual;
  const found = names.find((name) => name === given);
  if (found === undefined)
    answers.problems.push(`${flag}: unknown preset, got ${JSON.stringify(given)}; expected ${names.join(", ")}`);
  return found ?? usual;
}

function takenWords(taken: ReadonlyMap<string, string>): string {
  const words = [...taken].map(([service, stack]) => `${service} (stack ${stack})`).join(", ");
  return words === "" ? "" : `, and no service that the environment has already: ${words}`;
}

interface CanaryFacts {
  readonly listener?: SurveyedListener;
  readonly groups: readonly FoundGroup[];
  readonly baseline: string | undefined;
  readonly baselineVersion: string | undefined;
}

async function askCanary(
  flags: InitFlags,
  answers: Answers,
  { listener, groups, baseline, baselineVersion }: CanaryFacts,
): Promise<ServiceAnswers["canary"] | "none" | undefined> {
  const free = freeGroups(groups, listener, baseline);
  const targetGroupArn = await answers.choice({
    flag: "--canary-group",
    given: flags.canaryGroup,
    question: "Target group of the next release",
    choices: [
      ...free.map(({ name, arn }) => ({ name: `${name} (${arn})`, value: arn })),
      { name: "none: there is none yet", value: "none" },
    ],
    asksAlways: true,
    expected: "the ARN or name of a target group of the same VPC and target type that nothing forwards to, or none",
    wrong: (text) => {
      const group = groups.find((candidate) => isCalled(candidate, text));
      return group ? notFree(group, listener) : "not found";
    },
    read: (text) => {
      if (text === "none") return text;
      const group = groups.find((candidate) => isCalled(candidate, text));
      if (!group) return arnIn(text);
      // Without a rule nothing says which groups are free, and that is told already.
      return baseline === undefined || !listener || free.includes(group) ? group.arn : undefined;
    },
  });
  if (targetGroupArn === undefined || targetGroupArn === "none") {
    if (flags.canaryVersion !== undefined && targetGroupArn === "none")
      answers.problems.push(
        `--canary-version: a version of nothing, got ${JSON.stringify(flags.canaryVersion)}; expected --canary-group with it`,
      );
    return targetGroupArn;
  }
  const version = await answers.text({
    flag: "--canary-version",
    given: flags.canaryVersion,
    question: `Version that ${groupName(targetGroupArn)} serves`,
    expected:
      baselineVersion === undefined
        ? versionRule
        : `another version than the baseline's, which is ${baselineVersion}: ${versionRule}`,
    isValid: (text) => versionPattern.test(text) && text !== baselineVersion,
  });
  return version === undefined ? undefined : { version, targetGroupArn };
}

const isCalled = ({ arn, name }: FoundGroup, text: string) => arn === text || name === text;

/** Why a group that exists is nobody's next release. */
function notFree({ arn }: FoundGroup, listener: SurveyedListener | undefined): string {
  const rule = listener?.rules.find(({ actions }) =>
    actions.some(({ targetGroups = [] }) => targetGroups.some((group) => group.arn === arn)),
  );
  return rule ? `not free, as rule ${ruleText(rule)} names it` : "not alike, or on another load balancer";
}

/** An ARN that nobody found is for the checks to refuse, in their words. */
const arnIn = (text: string) =>
  /^arn:aws[a-z-]*:elasticloadbalancing:[^:]+:\d{12}:targetgroup\//.test(text) ? text : undefined;

/** Groups that could be the next release's: alike, and with nobody's requests. */
function freeGroups(
  groups: readonly FoundGroup[],
  listener: SurveyedListener | undefined,
  baseline: string | undefined,
): readonly FoundGroup[] {
  const like = groups.find(({ arn }) => arn === baseline);
  if (!like || !listener) return [];
  const served = new Set(
    listener.rules.flatMap(({ actions }) =>
      actions.flatMap(({ targetGroups = [] }) => targetGroups.map(({ arn }) => arn)),
    ),
  );
  return groups.filter(
    ({ arn, targetType, vpcId, loadBalancerArns }) =>
      arn !== baseline &&
      !served.has(arn) &&
      targetType === like.targetType &&
      vpcId === like.vpcId &&
      loadBalancerArns.every((balancer) => balancer === listener.loadBalancerArn),
  );
}

/** `checkout-blue-tg` is most likely `checkout`. */
export function serviceFrom(group: string): string {
  const slug = group
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .replace(/(?:-(?:tg|target|group|blue|green|old|new|stable|prod|production|v?\d+))+$/, "")
    .slice(0, maximumServiceLength)
    .replace(/-+$/, "");
  return slug || "web";
}
