/** Writing rules down to what the record grants, and looking whether that is what came to be. */
import { committedShares, holdsOn, type RolloutRecord } from "../core/record.ts";
import { groupsOf, mayStick, sharesOf, testersReach, weightsFor } from "../core/traffic-shares.ts";
import { oneError } from "./deliver.ts";
import type { ForwardAction, Ports } from "./ports.ts";

/** Live weights are not what was written. */
export class ReadBackError extends Error {
  override readonly name = "ReadBackError";
}

/**
 * Writes the rules from the record, where they grant too much, all at once; then reads them all back. One that fails does not spare
 * the others.
 * @param live what was read; `undefined`: not read or not readable, and then every rule is written that may grant too much
 */
export async function lowerRules(
  ports: Ports,
  record: RolloutRecord,
  lowersLive: boolean,
  live: Readonly<Record<string, ForwardAction>> | undefined,
): Promise<void> {
  const wanted = writesFor(record, lowersLive, live);
  if (wanted.size === 0) return;
  const refused = new Map<string, unknown>();
  await Promise.all(
    [...wanted].map(async ([arn, action]) => {
      try {
        await ports.traffic.writeRule(arn, action);
      } catch (error) {
        refused.set(arn, error);
      }
    }),
  );
  let back: Readonly<Record<string, ForwardAction>>;
  try {
    back = await ports.traffic.readRules([...wanted.keys()]);
  } catch (error) {
    throw oneError([...refused.values(), error]);
  }
  const failures: unknown[] = [];
  const wrong: string[] = [];
  for (const [arn, action] of wanted) {
    const found = back[arn];
    // What could not be written because it is gone sends nobody anywhere.
    if (refused.has(arn)) {
      if (found) failures.push(refused.get(arn));
    } else if (!found || grantsMore(record, found, action)) {
      wrong.push(
        `rule ${arn} still has ${JSON.stringify(found?.weights)} after writing ${JSON.stringify(action.weights)}`,
      );
    }
  }
  if (wrong.length > 0) failures.push(new ReadBackError(wrong.join("; ")));
  if (failures.length > 0) throw oneError(failures);
}

/** Whether there is anything to write, by what was read. */
export function wouldWrite(
  record: RolloutRecord,
  lowersLive: boolean,
  live: Readonly<Record<string, ForwardAction>> | undefined,
): boolean {
  return writesFor(record, lowersLive, live).size > 0;
}

function writesFor(
  record: RolloutRecord,
  lowersLive: boolean,
  live: Readonly<Record<string, ForwardAction>> | undefined,
): Map<string, ForwardAction> {
  const writes = new Map<string, ForwardAction>();
  for (const rule of record.rules) {
    const action = live?.[rule.arn];
    // A rule that is gone has nothing to lower; one that could not be read may have.
    if (live !== undefined && action === undefined) continue;
    const wanted =
      rule.role === "main"
        ? mainWrite(record, lowersLive, action)
        : rule.role === "tester" && (action !== undefined || lowersLive)
          ? testerWrite(record, action)
          : undefined;
    if (wanted) writes.set(rule.arn, wanted);
  }
  return writes;
}

/** Whether a rule gives a release more than was written. */
function grantsMore(record: RolloutRecord, found: ForwardAction, wanted: ForwardAction): boolean {
  const groups = groupsOf(record);
  const meant = sharesOf(wanted.weights, groups).shares;
  return Object.entries(sharesOf(found.weights, groups).shares).some(
    ([digest, percent]) => percent > (meant[digest] ?? 0) + 1e-6,
  );
}

function mainWrite(
  record: RolloutRecord,
  lowersLive: boolean,
  live: ForwardAction | undefined,
): ForwardAction | undefined {
  const stuck =
    live?.stickinessSeconds !== undefined &&
    record.canary !== undefined &&
    holdsOn(record, record.canary.digest).length > 0;
  if (!lowersLive && !stuck) return undefined;
  const weights = weightsFor(atMostLive(committedShares(record), live, record), groupsOf(record));
  const stickinessSeconds = mayStick(record) && !lowersLive ? record.stickinessSeconds : undefined;
  return { weights, ...(stickinessSeconds === undefined ? {} : { stickinessSeconds }) };
}

/**
 * The hook only ever lowers: where live already has less on the canary than the record (a lowering `up` that never came to
 * commit), it stays at that, and the baseline takes the rest.
 */
function atMostLive(
  shares: Readonly<Record<string, number>>,
  live: ForwardAction | undefined,
  record: RolloutRecord,
): Record<string, number> {
  const canary = record.canary?.digest;
  if (!live || canary === undefined || shares[canary] === undefined) return { ...shares };
  const least = Math.min(shares[canary], Math.floor(sharesOf(live.weights, groupsOf(record)).shares[canary] ?? 0));
  return { [record.baseline]: 100 - least, ...(least > 0 ? { [canary]: least } : {}) };
}

/** Shuts the tester rule where it leads, or may lead, to a release that is held; never opens it. */
function testerWrite(record: RolloutRecord, live: ForwardAction | undefined): ForwardAction | undefined {
  if (testersReach(record) !== record.baseline) return undefined;
  const shares = live && sharesOf(live.weights, groupsOf(record)).shares;
  const elsewhere = shares === undefined || Object.keys(shares).some((digest) => digest !== record.baseline);
  return elsewhere ? { weights: weightsFor({ [record.baseline]: 100 }, groupsOf(record)) } : undefined;
}
