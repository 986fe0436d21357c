/** Where the service is: environment, listener, rule. What can be looked up is not asked. What it is called and serves is `service-answers.ts`. */
import { isSlug, maximumEnvironmentLength, slugRule, tableName } from "../../core/naming.ts";
import type { SurveyedListener, SurveyedRule } from "../../core/survey.ts";
import type { Answers } from "./answers.ts";
import type { Estate } from "./estate.ts";
import type { FoundationFile } from "./foundations.ts";
import { ruleText } from "./rule-text.ts";
import { oursWords } from "./siblings.ts";

/** As typed. */
export interface InitFlags {
  readonly stack?: string;
  readonly service?: string;
  readonly environment?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly foundation?: string;
  readonly listener?: string;
  readonly rule?: string;
  readonly baselineVersion?: string;
  readonly canaryGroup?: string;
  readonly canaryVersion?: string;
  readonly email?: string;
  readonly plan?: string;
  readonly objectives?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

const listenerPattern = /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:listener\/app\/[^/]+\/[^/]+\/[^/]+$/;
const rulePattern =
  /^(arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:listener)-rule(\/app\/[^/]+\/[^/]+\/[^/]+)\/[^/]+$/;
const foundationPattern = /^(?:[A-Za-z0-9_.-]+\/tidegate\/)?[A-Za-z0-9_.-]{1,100}$/;

/** Where the service goes: an environment of its own, or beside the stack that has one. */
export interface Setting {
  readonly environment: string;
  /** `here`, or a stack. */
  readonly foundation: string;
  /** The listener that the stack beside has, if its file is here. */
  readonly listenerArn?: string;
}

export async function askSetting(
  flags: InitFlags,
  answers: Answers,
  estate: Estate,
  region: string,
  files: readonly FoundationFile[],
): Promise<Setting | undefined> {
  const inRegion = files.filter((file) => file.region === undefined || file.region === region);
  // A file that is about to be replaced is nothing to stand beside; what it made stays its own.
  const here = inRegion.filter(({ stack }) => stack !== flags.stack);
  const replaced = inRegion.find(({ stack }) => stack === flags.stack);
  const chosen =
    flags.environment === undefined && flags.foundation === undefined && here.length > 0
      ? await answers.choice<FoundationFile | "new">({
          flag: "--environment",
          given: undefined,
          question: "Put the service beside a stack that is here already?",
          choices: [
            ...here.map((file) => ({
              name: `beside stack ${file.stack} (environment ${file.environment})`,
              value: file,
            })),
            { name: "no, it gets an environment of its own", value: "new" as const },
          ],
          expected: "the environment of a stack here, or a new one",
          read: () => undefined,
        })
      : "new";
  if (chosen === undefined) return undefined;
  if (chosen !== "new") return besideFile(chosen);
  const named = here.find((file) => file.stack === flags.foundation);
  const environment = await answers.text({
    flag: "--environment",
    given: flags.environment ?? named?.environment,
    question: "Name of the environment (part of every physical name, cannot be changed later)",
    suggestion: "production",
    expected: `at most ${maximumEnvironmentLength} characters: ${slugRule}`,
    isValid: (text) => isSlug(text, maximumEnvironmentLength),
  });
  if (environment === undefined) return undefined;
  const file = here.find((candidate) => candidate.environment === environment);
  if (file && (flags.foundation === undefined || flags.foundation === file.stack)) return besideFile(file);
  const exists = replaced?.environment !== environment && (await estate.hasTable(tableName(environment)));
  if (!exists && flags.foundation === undefined) return { environment, foundation: "here" };
  const foundation = await answers.text({
    flag: "--foundation",
    given: flags.foundation,
    question: `Environment ${environment} is there already (table ${tableName(environment)}). Which stack made it?`,
    expected: exists
      ? `the stack that made environment ${environment} (table ${tableName(environment)} is there), as organisation/tidegate/stack; or another --environment`
      : "here, or the stack that made the environment, as organisation/tidegate/stack",
    isValid: (text) => (exists ? text !== "here" : true) && foundationPattern.test(text),
  });
  return foundation === undefined ? undefined : { environment, foundation };
}

function besideFile(file: FoundationFile): Setting {
  const listener = file.listenerArn === undefined ? {} : { listenerArn: file.listenerArn };
  return { environment: file.environment, foundation: file.stack, ...listener };
}

/** The listener: by flag, by the rule's ARN, the foundation's, or out of what the account has. */
export async function askListener(
  flags: InitFlags,
  answers: Answers,
  estate: Estate,
  setting: Setting | undefined,
): Promise<string | undefined> {
  const byRule = rulePattern.exec(flags.rule ?? "");
  const ofRule = byRule ? `${byRule[1]}${byRule[2]}` : undefined;
  const given = flags.listener ?? ofRule ?? setting?.listenerArn;
  if (ofRule !== undefined && flags.listener !== undefined && ofRule !== flags.listener) {
    answers.problems.push(
      `--rule: on another listener, got ${ofRule}; expected ${flags.listener}. Leave --listener out`,
    );
    return undefined;
  }
  const expected = "the ARN of an application load balancer's listener";
  if (given !== undefined) {
    const isValid = (text: string) => listenerPattern.test(text);
    return answers.text({ flag: "--listener", given, question: "", expected, isValid });
  }
  const choices = [];
  for (const balancer of await estate.loadBalancers()) {
    const listeners = await estate.listeners(balancer.arn);
    const [first] = listeners;
    const managedBy = answers.isAsking && first ? await managerOf(estate, first.arn) : undefined;
    const mark = managedBy === undefined ? "" : `, cannot be adopted: written by ${managedBy}`;
    for (const { arn, port, protocol } of listeners)
      choices.push({ name: `${protocol} ${port} of ${balancer.name} (${arn})${mark}`, value: arn });
  }
  return answers.choice({
    flag: "--listener",
    given: undefined,
    question: "Which listener do the requests come in by?",
    choices,
    expected: choices.length === 0 ? `${expected}; this region has none` : expected,
    read: () => undefined,
  });
}

/** The controller that writes a listener's load balancer; `undefined`: nobody does. */
async function managerOf(estate: Estate, listenerArn: string): Promise<string | undefined> {
  const { listeners, loadBalancers } = await estate.survey({ listenerArns: [listenerArn], targetGroupArns: [] });
  const owner = listeners.find(({ arn }) => arn === listenerArn)?.loadBalancerArn;
  return loadBalancers.find(({ arn }) => arn === owner)?.managedBy;
}

const isCalled = ({ arn, priority }: SurveyedRule, text: string) => arn === text || String(priority) === text;

/** The rule whose requests Tidegate takes; ours are not offered. */
export async function askRule(
  flags: InitFlags,
  answers: Answers,
  listener: SurveyedListener | undefined,
): Promise<SurveyedRule | undefined> {
  const theirs = (listener?.rules ?? []).filter((rule) => rule.ours === undefined);
  if (!listener && flags.rule !== undefined) return undefined;
  return answers.choice({
    flag: "--rule",
    given: flags.rule,
    question: "Which rule's requests are the service's? Where they go is on the right",
    choices: theirs.map((rule) => ({ name: ruleText(rule), value: rule })),
    expected: "priority or ARN of a rule of the listener, or default",
    wrong: (text) => {
      const ours = listener?.rules.find((rule) => isCalled(rule, text));
      return ours ? oursWords(ours) : "not found";
    },
    read: (text) => theirs.find((rule) => isCalled(rule, text)),
  });
}
