/** What `WaveOpening` invokes: reads the live weights back and commits what this `up` declared, or fails the `up`. */
import { commit } from "../core/commit.ts";
import type { LiveTraffic, ServiceDescription } from "../core/declaration.ts";
import { finishedHere } from "../core/finished-releases.ts";
import { splitOf } from "../core/flag-watch.ts";
import type { FinishedRelease } from "../core/gate/evidence.ts";
import { type RolloutRecord, recordSchemaVersion } from "../core/record.ts";
import { exposureOf } from "../core/split.ts";
import { sameShares, sharesOf } from "../core/traffic-shares.ts";
import { type Ports, RevisionConflictError } from "./ports.ts";

/** The `up` did not become real; the message says why. */
export class NotCommittedError extends Error {
  override readonly name = "NotCommittedError";
}

const mostTries = 3;

/** What became real. */
export interface Committed {
  /** One line for people. */
  readonly message: string;
  /** Releases that finished here and count: what the stack tells the environment above. */
  readonly finished: readonly FinishedRelease[];
}

export async function commitOpening(ports: Ports, description: ServiceDescription): Promise<Committed> {
  if (description.schemaVersion !== recordSchemaVersion) {
    throw new NotCommittedError(
      `${description.service}: the program speaks schema ${description.schemaVersion}, this hook ${recordSchemaVersion}; deploy the hook first`,
    );
  }
  for (let tries = 1; ; tries += 1) {
    const before = await ports.records.read(description.service);
    const live = await withFlagRead(ports, description, before, await readBack(ports, description));
    const result = commit(before, description, live, ports.clock.now());
    if (result.kind === "refused") throw new NotCommittedError(result.reason);
    try {
      await write(ports, before, result.record);
    } catch (error) {
      if (error instanceof RevisionConflictError && tries < mostTries) continue;
      throw error;
    }
    await ports.records.appendHistory(description.service, result.history);
    return { message: result.message, finished: finishedHere(result.record) };
  }
}

async function write(ports: Ports, before: RolloutRecord | undefined, record: RolloutRecord): Promise<void> {
  if (before === record) return;
  await ports.records.write(record, before?.revision);
}

async function readBack(ports: Ports, description: ServiceDescription) {
  const mains = description.rules.filter((rule) => rule.role === "main").map((rule) => rule.arn);
  const rules = await ports.traffic.readRules(mains);
  const groups = Object.fromEntries(description.releases.map((release) => [release.digest, release.targetGroupArn]));
  const [first, ...others] = mains.map((arn) => {
    const action = rules[arn];
    if (!action) throw new NotCommittedError(`${description.service}: rule ${arn} is gone; nothing was committed`);
    return sharesOf(action.weights, groups, description.control);
  });
  if (!first) throw new NotCommittedError(`${description.service}: the description names no main rule`);
  // ELBv2 lists a rule's groups in no order of its own, so the shares are compared and not their text.
  const differing = others.find(
    (other) =>
      !sameShares(other.shares, first.shares) ||
      Math.abs((other.controlPercent ?? 0) - (first.controlPercent ?? 0)) > 1e-6 ||
      other.unknownTargetGroupArns.toSorted().join() !== first.unknownTargetGroupArns.toSorted().join(),
  );
  if (differing)
    throw new NotCommittedError(`${description.service}: its rules differ; they move together. Run up again`);
  return first;
}

/** What is exposed of what the rules say, by the flag as it is now: one that did not rise, or was taken away meanwhile, is not committed. */
async function withFlagRead(
  ports: Ports,
  { split, canary, baseline, exposurePercent }: ServiceDescription,
  before: RolloutRecord | undefined,
  live: LiveTraffic,
): Promise<LiveTraffic> {
  const own = split && splitOf({ split, ...(before?.flagsOn ? { flagsOn: before.flagsOn } : {}) });
  if (!own || !canary) return live;
  const { percents } = await ports.flags.read(own);
  const weightPercent = live.shares[canary.digest] ?? 0;
  const flagPercent = percents[own.flag] ?? 0;
  const exposed = exposureOf(own.by, exposurePercent, { weightPercent, flagPercent });
  const { [canary.digest]: _weights, [baseline]: has = 0, ...others } = live.shares;
  const left = has + Math.max(0, weightPercent - exposed);
  return {
    ...live,
    shares: {
      ...others,
      ...(left > 0 ? { [baseline]: left } : {}),
      ...(exposed > 0 ? { [canary.digest]: exposed } : {}),
    },
  };
}
