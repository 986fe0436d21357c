/**
 * `workload: { ecs: … }`: where a service's tasks run. How large they are and how they stop is the workload's own (`workload.ts`); what of
 * that Fargate does not take is said here, at the path where it was written.
 */
import { z } from "zod";
import { maximumSecurityGroups, maximumSubnets, nameProblems, shapeProblems } from "../../components/ecs/limits.ts";
import type { EcsWorkload, WorkloadShape } from "../../core/workloads.ts";
import type { TargetGroupConfig } from "./model.ts";
import { checkFields, flag, isMap, leaf, type Path, type Problems, text, wholeNumber, word } from "./problems.ts";

/** A list of ids of one kind, none twice. */
function ids(kind: "subnet" | "sg", what: string, most: number): z.ZodType<string[]> {
  const pattern = new RegExp(`^${kind}-[0-9a-f]{8,17}$`);
  const list = z.array(z.string().regex(pattern)).min(1).max(most);
  return leaf(
    list.refine((given) => new Set(given).size === given.length),
    { wrong: `not a list of ${what}`, expected: `1 to ${most} different ids such as ${kind}-0a1b2c3d4e5f67890` },
  );
}

const roleArn = text(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, {
  wrong: "not the ARN of a role",
  expected: "arn:aws:iam::<account>:role/<name>",
});

/** Whole secrets, keys of them (`…:secret:<name>:<key>::`), and parameters. Source: ECS API reference, Secret, read 2026-11. */
const secretReference =
  /^arn:aws[a-z-]*:(?:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+(?::[^:\s]*:[^:\s]*:[^:\s]*)?|ssm:[a-z0-9-]+:\d{12}:parameter\/[\w./-]+)$/;

const variable = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]{0,254}$/;
const secrets = z.custom<Record<string, string>>(
  (given) =>
    isMap(given) &&
    Object.entries(given).every(
      ([name, arn]) => variable.test(name) && typeof arn === "string" && secretReference.test(arn),
    ),
);

/** The keys of `ecs`, each on its own. */
const ecsFields = {
  cluster: text(/^[A-Za-z0-9_-]{1,255}$/, {
    wrong: "not the name of an ECS cluster",
    expected: "up to 255 letters, digits, hyphens and underscores",
    wayOut: "Give its name, not its ARN",
  }),
  subnets: ids("subnet", "subnets", maximumSubnets),
  securityGroups: ids("sg", "security groups", maximumSecurityGroups),
  executionRole: roleArn,
  taskRole: roleArn.optional(),
  assignPublicIp: flag.optional(),
  runAsUser: wholeNumber(1, 65_535).optional(),
  cpuArchitecture: word(["X86_64", "ARM64"]).optional(),
  secrets: leaf(secrets, {
    wrong: "not a map from variables to where their values are kept",
    expected: "ARNs of Secrets Manager secrets or of SSM parameters, by variable",
    wayOut: "Store a value with aws secretsmanager create-secret, and name it here by its ARN",
  }).optional(),
};

/** What `ecs` is read in the light of. */
export interface EcsSurroundings {
  /** How large and how it stops; absent after a problem there. */
  readonly shape: WorkloadShape | undefined;
  /** Where the shape's keys are written. */
  readonly shapePath: Path;
  readonly targetGroup: TargetGroupConfig;
  readonly targetGroupPath: Path;
}

/** A number that no image has by chance, and the one that Kubernetes workloads have too. */
const defaultUserId = 10_001;

/** Reads `ecs`, naming every problem; `undefined` after one. */
export function toEcsWorkload(
  raw: unknown,
  path: Path,
  { shape, shapePath, targetGroup, targetGroupPath }: EcsSurroundings,
  problems: Problems,
): EcsWorkload | undefined {
  const before = problems.texts.length;
  const fields = checkFields(ecsFields, raw, path, problems);
  const { cluster, subnets, securityGroups, executionRole, taskRole } = fields;
  const secretArns = fields.secrets ?? {};
  const limits = [
    ...(shape ? shapeProblems(shape, targetGroup) : []),
    ...nameProblems({ variables: shape?.variables ?? {}, secretArns }),
  ];
  for (const { field, got, ...complaint } of limits) {
    if (field === "secretArns") problems.add([...path, "secrets"], complaint, got);
    else if (field === "deregistrationDelaySeconds") problems.add([...targetGroupPath, field], complaint, got);
    else problems.add([...shapePath, field], complaint, got);
  }
  if (targetGroup.targetType !== "ip") {
    const wrong = "tasks on Fargate have addresses of their own, and no instance";
    problems.add([...targetGroupPath, "targetType"], { wrong, expected: "ip" }, targetGroup.targetType);
  }
  const complete = shape && cluster && subnets && securityGroups && executionRole;
  if (!complete || problems.texts.length > before) return undefined;
  return {
    kind: "ecs",
    shape,
    clusterName: cluster,
    subnetIds: subnets,
    securityGroupIds: securityGroups,
    executionRoleArn: executionRole,
    ...(taskRole === undefined ? {} : { taskRoleArn: taskRole }),
    assignPublicIp: fields.assignPublicIp ?? false,
    runAsUserId: fields.runAsUser ?? defaultUserId,
    cpuArchitecture: fields.cpuArchitecture ?? "X86_64",
    ...(fields.secrets === undefined ? {} : { secretArns: fields.secrets }),
  };
}
