/** Writing rules down to what the record grants, and looking whether that is what came to be. */
import { committedControlPercent, grantedControlPercent } from "../core/control.ts";
import { committedWeightShares } from "../core/flag-watch.ts";
import { grantedPercent } from "../core/lowering.ts";
import { holdsOn, type Instant, type RolloutRecord } from "../core/record.ts";
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
  const wanted = writesFor(record, lowersLive, live, ports.clock.now());
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
  ports: Pick<Ports, "clock">,
  record: RolloutRecord,
  lowersLive: boolean,
  live: Readonly<Record<string, ForwardAction>> | undefined,
): boolean {
  return writesFor(record, lowersLive, live, ports.clock.now()).size > 0;
}

function writesFor(
  record: RolloutRecord,
  lowersLive: boolean,
  live: Readonly<Record<string, ForwardAction>> | undefined,
  now: Instant,
): Map<string, ForwardAction> {
  const writes = new Map<string, ForwardAction>();
  for (const rule of record.rules) {
    const action = live?.[rule.arn];
    // A rule that is gone has nothing to lower; one that could not be read may have.
    if (live !== undefined && action === undefined) continue;
    const wanted =
      rule.role === "main"
        ? (mainWrite(record, lowersLive, action) ?? controlWrite(record, action, now))
        : rule.role === "tester" && (action !== undefined || lowersLive)
          ? testerWrite(record, action)
          : undefined;
    if (wanted) writes.set(rule.arn, wanted);
  }
  return writes;
}

/** Whether a rule gives a release more than was written, or the control. */
function grantsMore(record: RolloutRecord, found: ForwardAction, wanted: ForwardAction): boolean {
  const [is, meant] = [found, wanted].map(({ weights }) => sharesOf(weights, groupsOf(record), record.control));
  return (
    (is?.controlPercent ?? 0) > (meant?.controlPercent ?? 0) + 1e-6 ||
    Object.entries(is?.shares ?? {}).some(([digest, percent]) => percent > (meant?.shares[digest] ?? 0) + 1e-6)
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
  const shares = atMostLive(committedWeightShares(record), live, record);
  const weights = weightsFor(shares, groupsOf(record), controlAtMostLive(record, live));
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
  const least = Math.min(
    shares[canary],
    Math.floor(sharesOf(live.weights, groupsOf(record), record.control).shares[canary] ?? 0),
  );
  return { [record.baseline]: 100 - least, ...(least > 0 ? { [canary]: least } : {}) };
}

/** What leaves the canary goes to the baseline's own group: a lowering gives the control nothing that it does not have. */
function controlAtMostLive({ control, ...record }: RolloutRecord, live: ForwardAction | undefined) {
  if (!control) return undefined;
  const committed = committedControlPercent({ ...record, control });
  if (!live) return { ...control, sharePercent: committed };
  const { controlPercent = 0 } = sharesOf(live.weights, groupsOf(record), control);
  return { ...control, sharePercent: Math.min(committed, Math.floor(controlPercent + 1e-6)) };
}

/**
 * Takes from the control what is more than its due, and gives it to the baseline's own group. Nothing else moves: an opening under way
 * keeps what it wrote. The cookies of clients that it held would lead them back to it, so stickiness goes off.
 */
function controlWrite(record: RolloutRecord, live: ForwardAction | undefined, now: Instant): ForwardAction | undefined {
  const { control } = record;
  if (!live || !control) return undefined;
  const groups = groupsOf(record);
  const own = groups[control.digest];
  const { controlPercent = 0 } = sharesOf(live.weights, groups, control);
  const granted = grantedControlPercent(record, now);
  if (own === undefined || controlPercent <= granted + 1e-6) return undefined;
  const { [control.targetGroupArn]: has = 0, ...others } = live.weights;
  const total = Object.values(live.weights).reduce((sum, weight) => sum + weight, 0);
  const keeps = Math.floor((granted * total) / 100);
  const canary = cappedCanary(record, others, total, now);
  return {
    weights: {
      ...others,
      ...canary.weights,
      [own]: (others[own] ?? 0) + has - keeps + canary.surplus,
      ...(keeps > 0 ? { [control.targetGroupArn]: keeps } : {}),
    },
  };
}

/** The canary in a rule that is written anyway: what live gives it above its grant is not written once more. Observing, only the control moves. */
function cappedCanary(
  record: RolloutRecord,
  weights: ForwardAction["weights"],
  total: number,
  now: Instant,
): { readonly weights: ForwardAction["weights"]; readonly surplus: number } {
  const digest = record.canary?.digest;
  const arn = digest === undefined ? undefined : groupsOf(record)[digest];
  const has = arn === undefined ? 0 : (weights[arn] ?? 0);
  if (digest === undefined || arn === undefined || record.mode === "observe") return { weights: {}, surplus: 0 };
  const most = Math.floor((grantedPercent(record, digest, now) * total) / 100 + 1e-6);
  return has > most ? { weights: { [arn]: most }, surplus: has - most } : { weights: {}, surplus: 0 };
}

/** Shuts the tester rule where it leads, or may lead, to a release that is held; never opens it. */
function testerWrite(record: RolloutRecord, live: ForwardAction | undefined): ForwardAction | undefined {
  if (testersReach(record) !== record.baseline) return undefined;
  const shares = live && sharesOf(live.weights, groupsOf(record), record.control).shares;
  const elsewhere = shares === undefined || Object.keys(shares).some((digest) => digest !== record.baseline);
  return elsewhere ? { weights: weightsFor({ [record.baseline]: 100 }, groupsOf(record)) } : undefined;
}
