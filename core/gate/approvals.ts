/**
 * Sign-offs before a wave (C3). A signature is a line of the stack's config, so who may write it is who may change that file; what it is
 * good for is one release, one attempt and one wave, and an `overrideReason` does not stand in for it.
 *
 * Four eyes: every role is signed by another person, so one person who has two roles signs for one of them. A role that is asked for twice
 * needs two people. Two signatures of one role by one person count once.
 */
import { instantText } from "../instant-text.ts";
import type { Plan } from "../plans.ts";
import { committedPercent, type Instant, type RolloutRecord } from "../record.ts";
import { sameHold } from "../releases.ts";
import type { Approval, SoakEvidence } from "./evidence.ts";
import { type Finding, met } from "./verdict.ts";

/** What a signature has to be for. */
export interface SignedFor {
  /** Unit: percent of the plan. */
  readonly wavePercent: number;
  readonly version: string;
  readonly digest: string;
  readonly attempt: number;
}

/** What the signatures of a config come to for one wave. */
export interface SignOff {
  /** Who signs for which of the roles asked for. */
  readonly signed: readonly Approval[];
  /** Roles that nobody signs for yet. */
  readonly missing: readonly string[];
  /** Signatures that count for nothing here, each with the reason. */
  readonly void: readonly string[];
}

/** Whether the signatures for the wave about to open are there. @param record for what happened since they were given */
export function approvalFindings(
  asked: SoakEvidence["approvals"],
  digest: string,
  now: Instant,
  record?: Pick<RolloutRecord, "holds">,
): Finding[] {
  if (asked === undefined || asked.roles.length === 0) return [];
  const { wavePercent, version, attempt } = asked;
  const wanted = { wavePercent, version, digest, attempt };
  const heldAt = record && newestHoldAt(record, digest, attempt);
  const { signed, missing, void: counted } = signOff(asked.roles, asked.given, wanted, now, heldAt);
  const rest = counted.length === 0 ? "" : `; what counts for nothing: ${counted.join("; ")}`;
  if (missing.length === 0) return [met("approvals", `wave ${wavePercent} is signed by ${signersText(signed)}${rest}`)];
  const given = signed.length === 0 ? "nobody" : signersText(signed);
  const text =
    `wave ${wavePercent} waits for ${missing.join(", ")} to sign for release ${version}, attempt ${attempt}; got ${given}${rest}. ` +
    "Add the signature to the service's approvals";
  return [{ rule: "approvals", verdict: "monitor", text }];
}

/**
 * Who signs for which role. Of all ways to give each role another person, one that leaves the fewest roles unsigned.
 * @param heldAt the newest hold of this attempt: a signature from before it was given for a release that had not failed yet
 */
export function signOff(
  roles: readonly string[],
  given: readonly Approval[],
  wanted: SignedFor,
  now: Instant,
  heldAt?: Instant,
): SignOff {
  const good: Approval[] = [];
  const reasons: string[] = [];
  for (const approval of given) {
    const reason = reasonAgainst(approval, roles, wanted, now, heldAt);
    if (reason === undefined) good.push(approval);
    // One for another wave of this very rollout is that wave's business.
    else if (!isOfAnotherWave(approval, wanted)) reasons.push(`${approval.by} for ${approval.role} (${reason})`);
  }
  const signers = matched(roles, good);
  const missing = roles.filter((_, index) => signers[index] === undefined);
  const counted = new Set(signers);
  for (const approval of good) {
    const isSecond = signers.some(
      (signer) =>
        signer !== undefined && signer !== approval && samePerson(signer, approval) && signer.role !== approval.role,
    );
    if (!counted.has(approval) && isSecond && missing.includes(approval.role))
      reasons.push(`${approval.by} for ${approval.role} (one person signs for one role of a wave)`);
  }
  const elsewhere = given.filter(
    (approval) =>
      isOfAnotherWave(approval, wanted) && missing.includes(approval.role) && !signedElsewhereToo(approval, good),
  );
  return {
    signed: signers.flatMap((signer) => signer ?? []),
    missing,
    void: [
      ...reasons,
      ...elsewhere.map(({ by, role, wavePercent }) => `${by} for ${role} (signed for wave ${wavePercent})`),
    ],
  };
}

/** Roles of the wave by the plan of today, and those that the plan the rollout began with asked for besides. */
export function rolesAsked(plan: Plan, wavePercent: number, record: RolloutRecord | undefined): readonly string[] {
  const rolesOf = ({ waves }: Plan) =>
    waves.find(({ exposurePercent }) => exposurePercent === wavePercent)?.approvals ?? [];
  const roles = [...rolesOf(plan)];
  if (record === undefined || committedPercent(record) === 0) return roles;
  const left = [...roles];
  for (const role of rolesOf(record.plan)) {
    const index = left.indexOf(role);
    if (index < 0) roles.push(role);
    else left.splice(index, 1);
  }
  return roles;
}

/** When this attempt was last held, acknowledged since or not; `undefined`: never. */
export function newestHoldAt(
  { holds }: Pick<RolloutRecord, "holds">,
  digest: string,
  attempt: number,
): Instant | undefined {
  const instants = Object.values(holds)
    .filter((hold) => sameHold(hold.digest, digest) && hold.attempt === attempt)
    .map(({ at }) => at);
  return instants.length === 0 ? undefined : Math.max(...instants);
}

function reasonAgainst(
  approval: Approval,
  roles: readonly string[],
  wanted: SignedFor,
  now: Instant,
  heldAt: Instant | undefined,
): string | undefined {
  if (approval.version !== wanted.version) return `signed for release ${approval.version}`;
  if (approval.digest !== undefined && approval.digest !== wanted.digest) return `signed for digest ${approval.digest}`;
  if (approval.attempt !== wanted.attempt) return `signed for attempt ${approval.attempt}`;
  if (approval.wavePercent !== wanted.wavePercent) return `signed for wave ${approval.wavePercent}`;
  if (!roles.includes(approval.role)) return `the wave asks for no ${approval.role}`;
  // Not a number is not in the past either.
  if (!(approval.at <= now)) return `signed at ${instantText(approval.at)}, which is still to come`;
  if (heldAt !== undefined && approval.at <= heldAt)
    return `signed at ${instantText(approval.at)}, before the hold of ${instantText(heldAt)}`;
  return undefined;
}

function isOfAnotherWave(approval: Approval, wanted: SignedFor): boolean {
  return (
    approval.version === wanted.version &&
    (approval.digest === undefined || approval.digest === wanted.digest) &&
    approval.attempt === wanted.attempt &&
    approval.wavePercent !== wanted.wavePercent
  );
}

function signedElsewhereToo(approval: Approval, good: readonly Approval[]): boolean {
  return good.some((other) => other.role === approval.role && samePerson(other, approval));
}

/** For each role who signs for it, by augmenting paths: whoever is needed for another role is moved there where somebody else can step in. */
function matched(roles: readonly string[], good: readonly Approval[]): (Approval | undefined)[] {
  const signers: (Approval | undefined)[] = roles.map(() => undefined);
  const place = (index: number, tried: Set<string>): boolean => {
    for (const approval of good.filter(({ role }) => role === roles[index])) {
      const person = personOf(approval);
      if (tried.has(person)) continue;
      tried.add(person);
      const holder = signers.findIndex((signer) => signer !== undefined && personOf(signer) === person);
      if (holder < 0 || place(holder, tried)) {
        // Whoever was moved has left this person's old place to somebody else.
        signers[index] = approval;
        return true;
      }
    }
    return false;
  };
  for (const index of roles.keys()) place(index, new Set());
  return signers;
}

function samePerson(left: Approval, right: Approval): boolean {
  return personOf(left) === personOf(right);
}

/** Case and spaces make no second person. */
export function personOf({ by }: Pick<Approval, "by">): string {
  return by.normalize("NFKC").trim().replace(/\s+/g, " ").toLowerCase();
}

function signersText(signed: readonly Approval[]): string {
  return signed.map(({ by, role, at }) => `${by} for ${role} (${instantText(at)})`).join(", ");
}
