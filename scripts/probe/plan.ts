/** What a probe would do, said before it does anything; and whether it was told enough. */
import { sceneWords } from "./aws-scene.ts";
import type { Belief } from "./belief.ts";

/** Flags of `npm run probe:aws`, as typed. */
export interface ProbeFlags {
  readonly yesThisCreatesResourcesIn?: string;
  readonly region?: string;
  readonly vpc?: string;
  readonly subnets?: string;
  readonly securityGroups?: string;
  readonly lambdaRole?: string;
  readonly profile?: string;
}

/** The answer to a run without consent. */
export function whatWouldHappen(beliefs: readonly Belief[]): string[] {
  const procedures = beliefs.flatMap(({ id, text, procedure }) =>
    "run" in procedure ? [{ id, text, ...procedure }] : [],
  );
  const minutes = procedures.reduce((sum, procedure) => sum + procedure.minutes, 0);
  return [
    "probe:aws: nothing was done. It would make, in the account and VPC that you name, and remove again:",
    ...sceneWords.map((words) => `  ${words}`),
    `It would take about ${minutes} min and some more to make and remove things. It costs the hours and capacity units of one load balancer,`,
    "some thousands of requests to Lambda and some hundreds to CloudWatch, at the prices of your region: aws.amazon.com/elasticloadbalancing/pricing",
    "It would look at:",
    ...procedures.map(({ id, text }) => `  ${id}: ${text}`),
    "To let it: --yes-this-creates-resources-in <account id> --region <region> --vpc <id> --subnets <id>,<id> --lambda-role <arn>",
  ];
}

/** Every problem of the flags; empty where they are enough. Nothing is said of what a run without consent lacks. */
export function probeProblems(flags: ProbeFlags): string[] {
  const account = flags.yesThisCreatesResourcesIn;
  if (account === undefined) return [];
  const problems: string[] = [];
  const check = (flag: string, value: string | undefined, pattern: RegExp, expected: string) => {
    if (value === undefined) problems.push(`${flag}: missing; expected ${expected}. Add it`);
    else if (!pattern.test(value)) problems.push(`${flag}: not usable, got "${value}"; expected ${expected}`);
  };
  check("--yes-this-creates-resources-in", account, /^\d{12}$/, "the 12 digits of an account");
  check("--region", flags.region, /^[a-z]{2}(-[a-z]+)+-\d$/, "a region such as eu-west-1");
  check("--vpc", flags.vpc, /^vpc-[0-9a-f]+$/, "the id of a VPC, vpc-…");
  check(
    "--subnets",
    flags.subnets,
    /^subnet-[0-9a-f]+(,subnet-[0-9a-f]+)+$/,
    "at least two ids by commas, subnet-…,subnet-…",
  );
  if (flags.securityGroups !== undefined)
    check("--security-groups", flags.securityGroups, /^sg-[0-9a-f]+(,sg-[0-9a-f]+)*$/, "ids by commas, sg-…");
  check(
    "--lambda-role",
    flags.lambdaRole,
    /^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/,
    "the ARN of a role that Lambda may take, arn:aws:iam::<account>:role/<name>",
  );
  return problems;
}
