/**
 * The guard: the last look before Pulumi writes a rule, run as a resource hook. Above live needs an opening lease, below live
 * a lowering lease, anything else must leave the shares alone. It throws to refuse, and then the rule is not touched.
 *
 * A service with several routes has several rules, which Pulumi may write at once. They are looked at one after the other under one
 * lease, each against all that stands against an opening: a rollback between the first and the second rule stops the second.
 */
import { committedControlPercent, controlOpeningProblems, controlRiseProblems } from "../core/control.ts";
import type { Declaration, GuardedWrite, LiveTraffic } from "../core/declaration.ts";
import { messageOf } from "../core/error-message.ts";
import { committedWeightShares } from "../core/flag-watch.ts";
import { type GuardReading, hostsNeeded, loweringProblems, openingProblems } from "../core/guard-checks.ts";
import { committedPercent, holdsOn, type RolloutRecord } from "../core/record.ts";
import { weightPercentAt } from "../core/split.ts";
import { sameShares, sharesOf } from "../core/traffic-shares.ts";
import { describeAll } from "./alarm-states.ts";
import { guardFlag, guardFlagUnread, type Rise } from "./guard-flag.ts";
import { type OwnLease, takeLease } from "./guard-lease.ts";
import { type GuardOptions, refuse } from "./guard-refusal.ts";
import { liveOf } from "./observe.ts";
import { openingProblemsOfPeers } from "./peers.ts";
import type { Ports, TargetHealth } from "./ports.ts";

export { type GuardOptions, GuardRefusedError } from "./guard-refusal.ts";

export type Guard = (write: GuardedWrite) => Promise<void>;

/** How often healthy hosts are looked for. Unit: milliseconds. */
const healthPollMilliseconds = 5_000;

/** Makes the guard of one service for one `up`. */
export function makeGuard(ports: Ports, options: GuardOptions): Guard {
  const own: OwnLease = {};
  let before: Promise<unknown> = Promise.resolve();
  return (write) => {
    const check = before.then(() => guardOne(ports, write, options, own));
    before = check.catch(() => {});
    return check;
  };
}

async function guardOne(ports: Ports, write: GuardedWrite, options: GuardOptions, own: OwnLease): Promise<void> {
  const { service } = options.declaration;
  const read = await readRecord(ports, service);
  if ("failure" in read) return guardUnread(ports, write, options, read.failure);
  const { record } = read;
  if (write.role === "tester") return guardTester(record, write, options);
  if (write.role === "flag")
    return guardFlag(ports, record, write, options, {
      open: (rise) => open(ports, write, options, own, rise),
      lower: (fall) => lower(ports, write, options, own, fall),
    });
  const declared = sharesOf(write.weights, write.targetGroupArns, write.control);
  if (declared.unknownTargetGroupArns.length > 0) {
    refuse(options, [`the rule names ${declared.unknownTargetGroupArns.join(", ")}, which no release has`]);
  }
  const live = await liveShares(ports, write);
  if (record === undefined || record.retiredAt !== undefined) return guardFirst(declared, live, options);

  const { shares, controlPercent = 0 } = live ?? (await sharesOfAbsent(ports, record));
  // What an opening gave it once may come back, a lost one's share excepted: that is no longer committed.
  const mostOfControl = Math.max(controlPercent, committedControlPercent(record));
  const controlProblems = controlRiseProblems(declared.controlPercent ?? 0, mostOfControl);
  const rising =
    Object.entries(declared.shares).find(
      ([digest, percent]) => digest !== record.baseline && percent > (shares[digest] ?? 0) + 1e-6,
    ) ?? (controlProblems.length > 0 ? openingAgain(options.declaration) : undefined);
  if (rising) {
    const rise = {
      digest: rising[0],
      toPercent: exposureMeant(options.declaration, rising[0], Math.round(rising[1])),
      isNewRule: live === undefined,
    };
    return open(ports, write, options, own, { ...rise, controlPercent: declared.controlPercent ?? 0 });
  }
  if (controlProblems.length > 0) refuse(options, controlProblems);
  const falling = Object.entries(shares).find(
    ([digest, percent]) => digest !== record.baseline && percent > (declared.shares[digest] ?? 0) + 1e-6,
  );
  if (falling) {
    const toPercent = Math.round(declared.shares[falling[0]] ?? 0);
    return lower(ports, write, options, own, { digest: falling[0], fromPercent: Math.round(falling[1]), toPercent });
  }
}

/** The exposure behind a weight: where a flag splits, every request goes to a canary that is exposed at all. */
function exposureMeant({ canary, split, exposurePercent }: Declaration, digest: string, weightPercent: number): number {
  const isMeant =
    split !== undefined && canary?.digest === digest && weightPercentAt(split.by, exposurePercent) === weightPercent;
  return isMeant ? exposurePercent : weightPercent;
}

/** The canary has what an opening wrote that never came to commit, and the control lost its share since: the opening is looked at anew. */
function openingAgain({ step, canary, exposurePercent }: Declaration): [string, number] | undefined {
  return step === "opening" && canary ? [canary.digest, exposurePercent] : undefined;
}

/**
 * What a rule that is not there may have without a raise. One that somebody deleted comes back at what the record grants, and at no more
 * than the service's other rules have. One of a new route has no share of anything: what the canary would get on it is a raise.
 */
async function sharesOfAbsent(
  ports: Ports,
  record: RolloutRecord,
): Promise<Pick<LiveTraffic, "shares" | "controlPercent">> {
  const leaving = new Set(record.leavingRules);
  const mains = record.rules.filter(({ role, arn }) => role === "main" && !leaving.has(arn)).map(({ arn }) => arn);
  const there = await ports.traffic.readRules(mains);
  if (mains.every((arn) => there[arn] !== undefined)) return { shares: {} };
  const granted = committedWeightShares(record);
  const controlPercent = committedControlPercent(record);
  const others = await liveOfOthers(ports, record);
  if (!others) return { shares: granted, controlPercent };
  return {
    shares: Object.fromEntries(
      Object.entries(granted).map(([digest, percent]) => [digest, Math.min(percent, others.shares[digest] ?? 0)]),
    ),
    controlPercent: Math.min(controlPercent, others.controlPercent ?? 0),
  };
}

/** The service's main rules that are there; `undefined`: none is. */
async function liveOfOthers(ports: Ports, record: RolloutRecord): Promise<LiveTraffic | undefined> {
  const mains = record.rules.filter((rule) => rule.role === "main").map((rule) => rule.arn);
  return liveOf(record, await ports.traffic.readRules(mains));
}

async function readRecord(
  ports: Ports,
  service: string,
): Promise<{ readonly record: RolloutRecord | undefined } | { readonly failure: string }> {
  try {
    return { record: await ports.records.read(service) };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

/** The record cannot be read: a write that moves no share goes through, any other would be a guess. */
async function guardUnread(ports: Ports, write: GuardedWrite, options: GuardOptions, failure: string): Promise<void> {
  if (write.role === "flag") return guardFlagUnread(ports, write, options, failure);
  const declared = sharesOf(write.weights, write.targetGroupArns, write.control);
  if (
    write.role === "tester" &&
    Object.keys(declared.shares).every((digest) => digest === options.declaration.baseline)
  )
    return;
  const live = await liveShares(ports, write);
  const raisesControl = controlRiseProblems(declared.controlPercent ?? 0, live?.controlPercent ?? 0).length > 0;
  if (write.role === "main" && live && sameShares(declared.shares, live.shares) && !raisesControl) return;
  refuse(options, [`the record cannot be read (${failure}), and the rule would change what is live`]);
}

async function liveShares(ports: Ports, write: GuardedWrite): Promise<LiveTraffic | undefined> {
  if (write.ruleArn === undefined) return undefined;
  const rules = await ports.traffic.readRules([write.ruleArn]);
  const action = rules[write.ruleArn];
  return action ? sharesOf(action.weights, write.targetGroupArns, write.control) : undefined;
}

/** Testers are no users, but a held release is shut to them too. */
function guardTester(record: RolloutRecord | undefined, write: GuardedWrite, options: GuardOptions): void {
  if (!record) return;
  const { shares } = sharesOf(write.weights, write.targetGroupArns, write.control);
  for (const digest of Object.keys(shares)) {
    const holds = digest === record.baseline ? [] : holdsOn(record, digest);
    if (holds.length > 0)
      refuse(options, [
        `the tester rule would reach ${digest} while hold ${holds[0]?.id} stands (${holds[0]?.detail})`,
      ]);
  }
}

/** No record: only a baseline at 100, or exactly what is live already. */
function guardFirst(declared: LiveTraffic, live: LiveTraffic | undefined, options: GuardOptions): void {
  const controlProblems = controlRiseProblems(declared.controlPercent ?? 0, live?.controlPercent ?? 0);
  if (controlProblems.length > 0) refuse(options, controlProblems);
  const baselineOnly = (declared.shares[options.declaration.baseline] ?? 0) > 100 - 1e-6;
  const unchanged =
    live !== undefined &&
    Object.entries(declared.shares).every(([digest, percent]) => Math.abs(percent - (live.shares[digest] ?? 0)) < 1e-6);
  if (baselineOnly && (live === undefined || unchanged || onlyUnknown(live))) return;
  if (unchanged) return;
  refuse(options, [`there is no record, and the rule would change what is live; expected the baseline at 100 %`]);
}

function onlyUnknown(live: LiveTraffic): boolean {
  return Object.keys(live.shares).length === 0 && live.unknownTargetGroupArns.length === 0;
}

async function open(
  ports: Ports,
  write: GuardedWrite,
  options: GuardOptions,
  own: OwnLease,
  { isNewRule, controlPercent, ...rise }: Rise,
): Promise<void> {
  const { declaration, takenBy } = options;
  const granted =
    (declaration.step === "opening" &&
      declaration.canary?.digest === rise.digest &&
      declaration.exposurePercent === rise.toPercent) ||
    (declaration.step === "replace-baseline" && declaration.baseline === rise.digest && rise.toPercent === 100);
  if (!granted && isNewRule) {
    refuse(options, [
      `${rise.digest} would have ${rise.toPercent} % on a rule that is not there yet, which this up did not decide; ` +
        "a rule comes with the baseline alone. Take the canary to 0, run up, and open again",
    ]);
  }
  if (!granted) refuse(options, [await undecidedText(ports, declaration.service, rise)]);
  await waitForHosts(ports, write, options, { ...rise, controlPercent });

  const record = await ports.records.read(declaration.service);
  if (!record) refuse(options, ["the record is gone; nothing grants a raise"]);
  // Whoever lowers takes the lease away; while it stands, what changed the record since is no reason against the next rule.
  const isRenewal = own.lease !== undefined && record.lease?.id === own.lease.id;
  const revision = isRenewal ? record.revision : declaration.revision;
  const receiverNeeds = declaration.capacity?.[record.baseline];
  const needs = receiverNeeds === undefined ? {} : { receiverNeeds };
  const requestsPercent = weightPercentAt(declaration.split?.by ?? "weights", rise.toPercent);
  const opening = { ...rise, requestsPercent, revision, takenBy, plan: options.plan, ...needs };
  const reading = await readForGuard(ports, write, record, rise.digest, options.hookChanges());
  const problems = [
    ...openingProblems(reading, write, opening, ports.clock.now()),
    ...(await problemsOfControl(ports, write, declaration, {
      toPercent: rise.toPercent,
      declaredPercent: controlPercent,
      hostsNeeded: hostsNeeded(controlPercent, reading.health[record.baseline]?.healthyCount ?? 1),
    })),
  ];
  if (problems.length > 0) refuse(options, problems);

  const fromPercent = record.canary?.digest === rise.digest ? committedPercent(record) : 0;
  await takeLease(ports, options, own, record, write, {
    kind: "opening",
    digest: rise.digest,
    fromPercent,
    toPercent: rise.toPercent,
  });
}

/** Canary and control are compared: one that is not as well served as the other would say nothing. */
async function problemsOfControl(
  ports: Ports,
  { control }: GuardedWrite,
  declaration: Declaration,
  opening: Omit<Parameters<typeof controlOpeningProblems>[0], "health" | "decidedPercent">,
): Promise<string[]> {
  const decidedPercent = declaration.control?.sharePercent ?? 0;
  const health = control && (await orUndefined(ports.traffic.targetHealth(control.targetGroupArn)));
  return controlOpeningProblems({ ...opening, decidedPercent, health });
}

/** Live is below what was declared. One rule alone that is, is a person's doing: the hook lowers them all. */
async function undecidedText(
  ports: Ports,
  service: string,
  { digest, toPercent }: { readonly digest: string; readonly toPercent: number },
): Promise<string> {
  const text = `${digest} would rise to ${toPercent} %, which this up did not decide`;
  const record = await ports.records.read(service);
  const others = record && (await liveOfOthers(ports, record));
  return others && (others.shares[digest] ?? 0) >= toPercent
    ? `${text}; another rule of the service has that much, so this one was lowered alone. Lower them all (tidegate kill), or write this one back by hand`
    : `${text}; live was lowered meanwhile. Run up again`;
}

async function waitForHosts(
  ports: Ports,
  write: GuardedWrite,
  options: GuardOptions,
  rise: { readonly digest: string; readonly toPercent: number; readonly controlPercent: number },
): Promise<void> {
  const deadline = ports.clock.now() + options.readyTimeoutSeconds * 1_000;
  const canaryArn = write.targetGroupArns[rise.digest];
  const baselineArn = write.targetGroupArns[options.declaration.baseline];
  if (canaryArn === undefined) return;
  const { step, baseline: receiver, capacity = {}, split } = options.declaration;
  const requestsPercent = weightPercentAt(split?.by ?? "weights", rise.toPercent);
  const receiverNeeds = step === "opening" ? (capacity[receiver] ?? 0) : 0;
  for (;;) {
    const baseline = baselineArn === undefined ? undefined : await orUndefined(ports.traffic.targetHealth(baselineArn));
    const canary = await orUndefined(ports.traffic.targetHealth(canaryArn));
    const controlNeeds = rise.controlPercent > 0 ? hostsNeeded(rise.controlPercent, baseline?.healthyCount ?? 1) : 0;
    const control =
      controlNeeds > 0 && write.control
        ? await orUndefined(ports.traffic.targetHealth(write.control.targetGroupArn))
        : undefined;
    // A floor that rose with this `up` takes a while to be served.
    const isReceiverReady = baseline === undefined || baseline.healthyCount >= receiverNeeds;
    const isControlReady = controlNeeds === 0 || (control !== undefined && control.healthyCount >= controlNeeds);
    const isCanaryReady =
      canary !== undefined && canary.healthyCount >= hostsNeeded(requestsPercent, baseline?.healthyCount ?? 1);
    if (isCanaryReady && isReceiverReady && isControlReady) return;
    // Out of time: the checks that follow say what is missing.
    if (ports.clock.now() >= deadline) return;
    await ports.clock.sleep(healthPollMilliseconds);
  }
}

async function readForGuard(
  ports: Ports,
  write: GuardedWrite,
  record: RolloutRecord,
  digest: string,
  hookChanges: boolean,
): Promise<GuardReading> {
  const health: Record<string, TargetHealth | undefined> = {};
  for (const [digest, arn] of Object.entries(write.targetGroupArns))
    health[digest] = await orUndefined(ports.traffic.targetHealth(arn));
  return {
    record,
    heartbeatAt: await ports.records.readHeartbeat(record.service),
    alarms: await orUndefined(describeAll(ports, write.alarms)),
    health,
    hookChanges,
    peerProblems: await openingProblemsOfPeers(ports, record, digest),
  };
}

/** Unreadable is a finding among the others, so that every reason is told at once. */
async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch {
    return undefined;
  }
}

async function lower(
  ports: Ports,
  write: GuardedWrite,
  options: GuardOptions,
  own: OwnLease,
  fall: { readonly digest: string; readonly fromPercent: number; readonly toPercent: number },
): Promise<void> {
  const record = await ports.records.read(options.declaration.service);
  if (!record) refuse(options, ["the record is gone meanwhile"]);
  const health: Record<string, TargetHealth | undefined> = {};
  for (const digest of [record.baseline, fall.digest]) {
    const arn = write.targetGroupArns[digest];
    if (arn !== undefined) health[digest] = await orUndefined(ports.traffic.targetHealth(arn));
  }
  const problems = loweringProblems(record, fall.digest, health);
  const committed = record.canary?.digest === fall.digest ? committedPercent(record) : 0;
  if (committed < fall.toPercent) {
    // A kill or rollback came first and went further: writing this would be a raise.
    problems.push(
      `the record has ${fall.digest} at ${committed} % by now, less than the ${fall.toPercent} % of this up. Run up again`,
    );
  }
  if (problems.length > 0) refuse(options, problems);
  await takeLease(ports, options, own, record, write, { kind: "lowering", ...fall });
}
