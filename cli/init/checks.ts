/** Whether the program will take what `init` is about to write: its own check of configs, and its own check of what is adopted. */
import { judgeAdoption } from "../../core/adoption.ts";
import { BadInputError } from "../../core/bad-input.ts";
import type { Release } from "../../core/releases.ts";
import { defaultRunbookBase } from "../../core/runbooks.ts";
import type { Survey } from "../../core/survey.ts";
import { Problems } from "../../stacks/config/problems.ts";
import { parseYaml } from "../../stacks/config/yaml-file.ts";
import { parseConfig } from "../../stacks/config.ts";
import { type StackPlan, stackText } from "./stack-text.ts";

/** The same words in which the first `up` would refuse it. */
export function adoptionProblems(
  plan: StackPlan,
  survey: Survey,
): { readonly refusals: readonly string[]; readonly notices: readonly string[] } {
  const verdict = judgeAdoption(
    [
      {
        name: plan.service,
        environment: plan.environment,
        mode: "observe",
        routes: [
          {
            place: `services.${plan.service}`,
            namesListener: plan.foundation !== "here",
            listenerArn: plan.listenerArn,
            match:
              plan.ruleArn === undefined
                ? { hosts: [], paths: ["/*"] }
                : { hosts: [], paths: [], ruleArn: plan.ruleArn },
            priority: plan.priority,
          },
        ],
        baseline: releaseOf(plan.baseline),
        ...(plan.canary ? { canary: releaseOf(plan.canary) } : {}),
        ownTargetType: "ip",
        isFirst: true,
        raises: false,
      },
    ],
    survey,
  )[plan.service];
  return { refusals: verdict?.refusals ?? [], notices: (verdict?.notices ?? []).map(({ text }) => text) };
}

function releaseOf({ version, targetGroupArn }: StackPlan["baseline"]): Release {
  return { digest: `${targetGroupArn}#${version}`, version, targetGroupArn };
}

/** Everything that the program would say against the file; empty: it takes it. */
export function configProblems(plan: StackPlan): readonly string[] {
  const problems = new Problems(() => false);
  const file = parseYaml(stackText(plan), "the new stack file", problems);
  const settings = Object.entries(Object(Object(file).config));
  const of = (namespace: string) =>
    Object.fromEntries(
      settings.flatMap(([key, value]) =>
        key.startsWith(`${namespace}:`) ? [[key.slice(namespace.length + 1), value]] : [],
      ),
    );
  const { environment, region, vpcId, listenerArn } = plan;
  const network = { vpcId, subnetIds: [], listenerArn, internal: true, allowedCidrs: [] };
  const alerting = { email: [], runbooks: defaultRunbookBase };
  const foundation = { environment, region, network, alerting, peers: [], dependencyOwners: [] };
  try {
    parseConfig({ aws: of("aws"), tidegate: of("tidegate") }, plan.foundation === "here" ? {} : { foundation });
    return problems.texts;
  } catch (error) {
    if (error instanceof BadInputError) return [...problems.texts, ...error.problems];
    throw error;
  }
}
