/**
 * The stack file of one adopted service, with a comment where a reader would ask. Texts are written as JSON strings, which YAML reads
 * alike: a version such as 2.30 must not become a number.
 */

export interface StackPlan {
  readonly environment: string;
  readonly region: string;
  /** `here`, or the stack that has the environment already. */
  readonly foundation: string;
  readonly vpcId: string;
  readonly listenerArn: string;
  /** Such as `HTTPS 443 of shop`. */
  readonly listenerText: string;
  /** Absent: nobody is told. */
  readonly email?: string;
  readonly service: string;
  /** The rule to adopt; absent: everything that no rule of the listener matches. */
  readonly ruleArn?: string;
  /** The adopted rule as a person reads it. */
  readonly ruleText: string;
  readonly priority: number;
  readonly baseline: { readonly version: string; readonly targetGroupArn: string };
  readonly canary?: { readonly version: string; readonly targetGroupArn: string };
  readonly plan: string;
  /** The plan's exposures, ascending. Unit: percent. */
  readonly waves: readonly number[];
  readonly objectives: string;
}

/** The whole file. */
export function stackText(plan: StackPlan): string {
  const isFoundation = plan.foundation === "here";
  const lines = [
    "# One service behind a load balancer that was there before. Tidegate puts rules of its own in front; every rule, target group and",
    "# target of yours stays as it is, and gets its requests back when the service is retired. Written by npx tidegate init.",
    "config:",
    `  aws:region: ${plan.region}`,
    `  tidegate:environment: ${plan.environment} # part of every physical name; it cannot be changed later`,
    ...(isFoundation
      ? foundationLines(plan)
      : [`  tidegate:foundation: ${plan.foundation} # the stack that has this environment's hook and record`]),
    "  tidegate:services:",
    `    ${plan.service}:`,
    "      mode: observe # observe records what it would do and lowers nothing; act does it, once you agree with what is recorded",
    ...(isFoundation ? [] : [`      listenerArn: ${plan.listenerArn} # ${plan.listenerText}`]),
    ...matchLines(plan),
    `      priority: ${plan.priority} # and the two after it; before that rule, and free when this was written`,
    `      baseline: # what serves these requests wherever the canary does not`,
    `        version: ${JSON.stringify(plan.baseline.version)}`,
    `        targetGroupArn: ${plan.baseline.targetGroupArn}`,
    ...canaryLines(plan),
    `      plan: ${plan.plan} # ${plan.plan}: waves ${plan.waves.join(", ")}, with a minimum soak each`,
    `      objectives: ${plan.objectives} # what is promised; what source cannot measure of it is named in every preview`,
    "      source: alb # alb: the load balancer's own metrics, every minute; nothing to change in the service",
  ];
  return `${lines.join("\n")}\n`;
}

function foundationLines(plan: StackPlan): string[] {
  return [
    "  tidegate:network:",
    `    vpcId: ${plan.vpcId}`,
    `    listenerArn: ${plan.listenerArn} # ${plan.listenerText}`,
    ...(plan.email === undefined
      ? [
          "  tidegate:alerting: {} # left empty, nobody is told of anything: add email, pagerduty or slack before this acts",
        ]
      : [
          "  tidegate:alerting:",
          `    email: [${JSON.stringify(plan.email)}] # hears alarms and pages; AWS asks it to confirm`,
        ]),
  ];
}

function matchLines({ ruleArn, ruleText }: StackPlan): string[] {
  return ruleArn === undefined
    ? ["      match: # everything that no rule of the listener takes", `        paths: ["/*"]`]
    : [`      match: # the requests of a rule of yours, as found: ${ruleText}`, `        ruleArn: ${ruleArn}`];
}

function canaryLines({ canary }: StackPlan): string[] {
  if (canary) {
    return [
      "      canary:",
      `        version: ${JSON.stringify(canary.version)}`,
      `        targetGroupArn: ${canary.targetGroupArn}`,
      `      wave: 0 # the line that a release pull request changes: 0, or a wave of the plan`,
      "      attempt: 1 # the next one only after a rollback",
    ];
  }
  return [
    "      # The next release, with a target group of its own:",
    "      # canary:",
    `      #   version: "…"`,
    "      #   targetGroupArn: arn:…",
    "      # wave: 0 # then the waves of the plan",
  ];
}
