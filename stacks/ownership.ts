/**
 * Which services are this stack's to declare: none that the record knows may get lost, and none is declared by two stacks. The record says
 * who declares a service; records of versions that did not write it belong to the stack that has the foundation.
 *
 * A service moves with its resources, or not at all: two stacks with the same rules and alarms in their state would overwrite each other, and
 * the one that lets go would delete what the other one relies on.
 */
import { messageOf } from "../core/error-message.ts";
import { declaredRules } from "../core/leaving-rules.ts";
import type { RolloutRecord } from "../core/record.ts";
import type { Ports } from "../hooks/ports.ts";
import type { EnvironmentConfig } from "./config.ts";
import { grantProblems } from "./listener-grants.ts";

/** The stack that runs. */
export interface OwnStack {
  /** `organisation/project/stack`. */
  readonly stackId: string;
  /** Full name of the stack that has the foundation; this one's own, mostly. */
  readonly foundationStack: string;
  /** Services that its last `up` declared. */
  readonly previousServices: readonly string[];
  /** ARNs of the listener rules in this stack's own state; asked only where a service is taken over. */
  readonly ownRuleArns: () => Promise<ReadonlySet<string>>;
}

type OwnershipPorts = Pick<Ports, "records" | "traffic">;

/** Every reason why this stack may not declare what its config has, or lacks. */
export async function ownershipProblems(
  config: EnvironmentConfig,
  own: OwnStack,
  ports: OwnershipPorts,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { name } of config.services) {
    const read = await readOne(name, ports);
    if ("failure" in read) {
      // One of its own goes on at what is live (`decide.ts`); whose any other is, nobody knows.
      if (!own.previousServices.includes(name)) problems.push(claimUnread(name, read.failure));
      continue;
    }
    const { record } = read;
    if (!record || record.environment !== config.environment) continue;
    const owner = record.declaredBy ?? own.foundationStack;
    if (owner === own.stackId) continue;
    const problem =
      record.retiredAt === undefined
        ? await claimProblem(record, owner, config.takeOver?.[name], own)
        : await leftBehind(record, owner, ports);
    if (problem !== undefined) problems.push(problem);
  }
  return [
    ...problems,
    ...(await lostServices(config, own, ports)),
    // A service stack grants nothing: its foundation does.
    ...(own.stackId === own.foundationStack ? await grantProblems(config, ports) : []),
  ];
}

function claimUnread(name: string, failure: string): string {
  return `services.${name}: its record cannot be read (${failure}), and this stack's last up did not declare it, so another stack may; expected a readable record. Take it out here, or run up again once it can be read`;
}

/** (n): removed or renamed in the config while the record says that it is live and this stack's. */
async function lostServices(config: EnvironmentConfig, own: OwnStack, ports: OwnershipPorts): Promise<string[]> {
  const named = new Set(config.services.map((service) => service.name));
  // What a last `up` declared may be live even where no record can be listed, or none is.
  const unlisted = own.previousServices.filter((service) => !named.has(service));
  let candidates: string[];
  try {
    const recorded = await ports.records.list();
    candidates = recorded.filter((service) => !named.has(service));
  } catch {
    return unlisted.map(lostUnread);
  }
  const lost: string[] = [];
  for (const name of candidates) {
    try {
      if (!isOwn(await ports.records.read(name), config, own)) continue;
      lost.push(
        `services.${name}: is live but no longer in the config (removed or renamed?); put it back with retire: true, run up, then remove it`,
      );
    } catch {
      if (unlisted.includes(name)) lost.push(lostUnread(name));
    }
  }
  return lost;
}

function lostUnread(name: string): string {
  return `services.${name}: no longer in the config, and its record, which may say that it is live, cannot be read; put it back, or run up again once it can`;
}

function isOwn(
  record: RolloutRecord | undefined,
  { environment }: EnvironmentConfig,
  { stackId, foundationStack }: OwnStack,
): boolean {
  if (!record || record.environment !== environment || record.retiredAt !== undefined) return false;
  return (record.declaredBy ?? foundationStack) === stackId;
}

async function readOne(
  name: string,
  { records }: OwnershipPorts,
): Promise<{ readonly record: RolloutRecord | undefined } | { readonly failure: string }> {
  try {
    return { record: await records.read(name) };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

async function claimProblem(
  record: RolloutRecord,
  owner: string,
  takenFrom: string | undefined,
  { stackId, ownRuleArns }: OwnStack,
): Promise<string | undefined> {
  const { service } = record;
  if (takenFrom === undefined) {
    return (
      `services.${service}: another stack declares it, got ${owner} in its record; expected ${stackId}. ` +
      `Take it out here; to move it, see docs/decisions/0013 (takeOver: { ${service}: ${owner} })`
    );
  }
  if (takenFrom !== owner) {
    return `takeOver.${service}: not the stack that declares it, got "${takenFrom}"; expected ${owner}. Correct it`;
  }
  const moved = await ownRuleArns();
  const rules = declaredRules(record);
  const missing = rules.filter((rule) => !moved.has(rule.arn));
  if (missing.length === 0) return undefined;
  return (
    `takeOver.${service}: its resources are still in the other stack's state, got ${missing.length} of ${rules.length} listener rules missing here; ` +
    `expected all of them. Move them first: pulumi state move --source ${owner} --dest ${stackId} with the URN of its ProgressiveService`
  );
}

/** A retired service is free once its last stack has let go of its resources: alarms of the same name would be deleted with them. */
async function leftBehind(
  { service, rules }: RolloutRecord,
  owner: string,
  { traffic }: OwnershipPorts,
): Promise<string | undefined> {
  const arns = rules.map((rule) => rule.arn);
  let left: number | undefined;
  try {
    left = Object.keys(await traffic.readRules(arns)).length;
  } catch {
    left = undefined;
  }
  if (left === 0) return undefined;
  const got = left === undefined ? "rules that cannot be read" : `${left} of its listener rules`;
  return (
    `services.${service}: retired in another stack, which still has its resources, got ${got} from ${owner}; expected none. ` +
    "Take it out of that stack's config and run up there first"
  );
}
