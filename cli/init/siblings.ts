/** What the stacks of the folder, and the rules that Tidegate has on the listener, say against adopting a rule or naming a service again. */
import { join } from "node:path";
import { parseDocument } from "yaml";
import { conditionsCover } from "../../core/rule-conditions.ts";
import type { SurveyedListener, SurveyedRule } from "../../core/survey.ts";
import { stackNames } from "../stack-file.ts";
import { readIfThere } from "./files.ts";

/** A service in some stack file of the folder. */
export interface SiblingService {
  readonly stack: string;
  readonly environment: string;
  readonly service: string;
  /** Rules that it stands in front of. */
  readonly ruleArns: readonly string[];
}

/** Files that cannot be read are left out. */
export function siblingServices(directory: string): SiblingService[] {
  return stackNames(directory).flatMap((stack) => {
    const file = parseDocument(readIfThere(join(directory, `Pulumi.${stack}.yaml`)) ?? "", { logLevel: "silent" });
    if (file.errors.length > 0) return [];
    const config = mapOf(mapOf(file.toJS({ maxAliasCount: 100 })).config);
    const environment = config["tidegate:environment"];
    if (typeof environment !== "string") return [];
    return Object.entries(mapOf(config["tidegate:services"])).map(([service, declared]) => {
      const { moreRoutes, ...first } = mapOf(declared);
      const routes = [first, ...(Array.isArray(moreRoutes) ? moreRoutes.map(mapOf) : [])];
      const ruleArns = routes.flatMap(({ match }) => {
        const { ruleArn } = mapOf(match);
        return typeof ruleArn === "string" ? [ruleArn] : [];
      });
      return { stack, environment, service, ruleArns };
    });
  });
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

/** Names of an environment's services that other stacks have. */
export function takenNames(siblings: readonly SiblingService[], environment: string): ReadonlyMap<string, string> {
  return new Map(
    siblings.filter((each) => each.environment === environment).map(({ service, stack }) => [service, stack]),
  );
}

/**
 * Why a rule cannot be adopted because Tidegate has its requests already; `undefined`: it has not.
 * @param isReplaced whether a rule of ours belongs to the stack that is about to be written anew
 */
export function heldAlready(
  rule: SurveyedRule,
  listener: SurveyedListener,
  siblings: readonly SiblingService[],
  isReplaced: (rule: SurveyedRule) => boolean,
): string | undefined {
  const sibling = siblings.find(({ ruleArns }) => ruleArns.includes(rule.arn));
  if (sibling) {
    return (
      `--rule: adopted already, got rule ${rule.priority}, which service ${sibling.service} of stack ${sibling.stack} names; ` +
      "expected a rule that no stack here names. Choose another rule"
    );
  }
  const holder = listener.rules.find(
    (ours) => ours.ours?.role === "main" && !isReplaced(ours) && isBefore(ours, rule) && takesAll(ours, rule),
  );
  if (!holder) return undefined;
  return (
    `--rule: Tidegate has its requests already, got rule ${rule.priority}: ${oursWords(holder)} and stands in front of it; ` +
    "expected a rule that nothing of Tidegate stands in front of. Choose another rule"
  );
}

/** `rule 99 is Tidegate's own, service checkout of environment production`. */
export function oursWords({ priority, ours }: SurveyedRule): string {
  return `rule ${priority} is Tidegate's own, service ${ours?.service} of environment ${ours?.environment}`;
}

function isBefore(one: SurveyedRule, other: SurveyedRule): boolean {
  return typeof one.priority === "number" && (other.priority === "default" || one.priority < other.priority);
}

/** A pattern of every path takes what has no condition, too. */
function takesAll({ conditions }: SurveyedRule, rule: SurveyedRule): boolean {
  const narrowing = conditions.filter(({ field, values }) => field !== "path-pattern" || !values.includes("/*"));
  return conditions.length > 0 && conditionsCover(narrowing, rule.conditions);
}
