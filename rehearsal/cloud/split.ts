/**
 * Which part of a rule's requests goes to which group at a moment: by the weights of some seconds ago, and for clients with a
 * stickiness cookie by where they were.
 */
import type { Instant } from "../../core/record.ts";
import type { ForwardAction } from "../../hooks/ports.ts";
import { traffic } from "../traffic/constants.ts";

/** Part of the requests by target group ARN. Unit: fraction; they sum to 1. */
export type Parts = Readonly<Record<string, number>>;

/** A rise of one group's part by an `up`; its first requests meet a cold release. */
export interface Rise {
  readonly groupArn: string;
  readonly openedAt: Instant;
  readonly fromPercent: number;
  readonly toPercent: number;
}

interface Written {
  readonly parts: Parts;
  readonly stickinessSeconds: number | undefined;
}

export class Split {
  #current: Written;
  /** Not yet followed, oldest first. */
  readonly #pending: { readonly effectiveAt: Instant; readonly written: Written }[] = [];
  /** Where clients with a cookie are; the current parts themselves where nobody has one. */
  #pinned: Parts;
  #rises: Rise[] = [];

  constructor(action: ForwardAction, at: Instant) {
    this.#current = writtenOf(action);
    this.#pinned = this.#current.parts;
    this.#noteRises({}, this.#current.parts, at);
  }

  /** New weights, followed from `effectiveAt` on. */
  change(action: ForwardAction, effectiveAt: Instant, by: "up" | "hook" | "person"): void {
    const written = writtenOf(action);
    const last = this.#pending.at(-1);
    // Two writes in quick succession arrive in their order.
    const inOrder = Math.max(effectiveAt, last?.effectiveAt ?? effectiveAt);
    if (by === "up") this.#noteRises((last?.written ?? this.#current).parts, written.parts, inOrder);
    this.#pending.push({ effectiveAt: inOrder, written });
  }

  #noteRises(before: Parts, after: Parts, openedAt: Instant): void {
    const horizon = openedAt - traffic.blip.durationSeconds * 1_000;
    this.#rises = this.#rises.filter((rise) => rise.openedAt > horizon);
    for (const [groupArn, part] of Object.entries(after)) {
      const from = before[groupArn] ?? 0;
      if (part > from) this.#rises.push({ groupArn, openedAt, fromPercent: from * 100, toPercent: part * 100 });
    }
  }

  /** Rises whose first requests fall into `from` to `to`. */
  risesAt(from: Instant): readonly Rise[] {
    if (this.#rises.length === 0) return this.#rises;
    const horizon = from - traffic.blip.durationSeconds * 1_000;
    if (this.#rises.some((rise) => rise.openedAt <= horizon)) {
      this.#rises = this.#rises.filter((rise) => rise.openedAt > horizon);
    }
    return this.#rises;
  }

  /** Parts over a step; the very same object as long as nothing moves. Steps are asked for in order of time. */
  over(from: Instant, to: Instant): Parts {
    if (this.#pending.length === 0) return this.#held(from, to);
    let mixed: Record<string, number> = {};
    let at = from;
    while (at < to) {
      const next = this.#pending[0];
      const until = next && next.effectiveAt < to ? Math.max(at, next.effectiveAt) : to;
      if (until > at) mixed = added(mixed, this.#held(at, until), (until - at) / (to - from));
      at = until;
      if (next && next.effectiveAt <= until && next.effectiveAt < to) {
        this.#pending.shift();
        this.#follow(next.written);
      }
    }
    return mixed;
  }

  #follow(written: Written): void {
    const stays = written.stickinessSeconds !== undefined && this.#current.stickinessSeconds !== undefined;
    // A cookie for a group that the rule no longer names, or of a rule without stickiness, counts for nothing.
    this.#pinned = stays ? rebalanced(this.#pinned, written.parts) : written.parts;
    this.#current = written;
  }

  /** Parts while the weights stay: cookies run out and are dealt anew by weight. */
  #held(from: Instant, to: Instant): Parts {
    const { parts, stickinessSeconds } = this.#current;
    if (stickinessSeconds === undefined || this.#pinned === parts) return parts;
    const renewed = Math.min(1, (to - from) / 1_000 / stickinessSeconds);
    this.#pinned = added(added({}, this.#pinned, 1 - renewed), parts, renewed);
    if (closeTo(this.#pinned, parts)) this.#pinned = parts;
    return added(added({}, parts, 1 - traffic.stickyFraction), this.#pinned, traffic.stickyFraction);
  }
}

function writtenOf(action: ForwardAction): Written {
  const total = Object.values(action.weights).reduce((sum, weight) => sum + weight, 0);
  const parts: Record<string, number> = {};
  for (const [arn, weight] of Object.entries(action.weights)) if (weight > 0) parts[arn] = weight / total;
  return { parts, stickinessSeconds: action.stickinessSeconds };
}

function added(to: Record<string, number>, parts: Parts, factor: number): Record<string, number> {
  const sum = { ...to };
  for (const [arn, part] of Object.entries(parts)) sum[arn] = (sum[arn] ?? 0) + part * factor;
  return sum;
}

/** Pinned clients of groups that are left; those of the others are dealt out by weight. */
function rebalanced(pinned: Parts, parts: Parts): Parts {
  let lost = 0;
  const kept: Record<string, number> = {};
  for (const [arn, part] of Object.entries(pinned)) {
    if (parts[arn] === undefined) lost += part;
    else kept[arn] = part;
  }
  return added(kept, parts, lost);
}

function closeTo(left: Parts, right: Parts): boolean {
  return Object.entries(right).every(([arn, part]) => Math.abs(part - (left[arn] ?? 0)) < 1e-4);
}
