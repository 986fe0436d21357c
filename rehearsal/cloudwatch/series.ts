/**
 * One metric with its dimensions, in virtual time.
 *
 * Points are kept in base periods (10 s or 60 s) and, beside them, in whole minutes and whole hours, so that a period of days is read
 * from few slots. Rings overwrite what is too old to be read. A slot becomes visible as a whole, at the latest `visibleAt` put into it,
 * as CloudWatch publishes a minute as a whole.
 *
 * Data comes when it happens: a slot that closed one base period before the latest evaluation takes nothing more. That is what
 * lets a whole, visible window be computed once and never again.
 */
import type { Instant } from "../../core/record.ts";
import { InvalidRequestError } from "./errors.ts";
import { Histogram } from "./histogram.ts";
import type { Statistic, StatisticSet } from "./statistic.ts";

const minuteMs = 60_000;
const tenSecondsMs = 10_000;
const hourMs = 3_600_000;
const hourMinutes = 60;

/**
 * How long points can be read. Source: CloudWatch guide, "Metrics retention", 2023-06: 60-second points 15 days, finer ones
 * 3 hours. Percentiles are kept for three days here, longer than any soak beside a baseline; an alarm that looks further back is refused by
 * name, and what is read of older windows has none.
 */
const minuteRetentionSlots = 15 * 24 * 60;
const tenSecondRetentionSlots = 3 * 360;
const hourRetentionSlots = 15 * 24;
const minuteHistogramSlots = 74 * 60;
const tenSecondHistogramSlots = 512;
/** Farthest back that a percentile can be read. Unit: milliseconds. */
export const percentileReachMs = { minutes: 73 * 60 * minuteMs, tenSeconds: 500 * tenSecondsMs } as const;

/** A ring of slots of one length. */
class Slots {
  readonly slotMs: number;
  readonly #largest: number;
  readonly #histogramCapacity: number;
  capacity = 64;
  /** Slot number held at each place; -1: none. */
  slot = new Float64Array(64).fill(-1);
  sum = new Float64Array(64);
  count = new Float64Array(64);
  min = new Float64Array(64);
  max = new Float64Array(64);
  visibleAt = new Float64Array(64);
  readonly #histograms: { slot: number; readonly histogram: Histogram }[] = [];

  constructor(slotMs: number, retentionSlots: number, histogramSlots: number) {
    this.slotMs = slotMs;
    this.#largest = 2 ** Math.ceil(Math.log2(retentionSlots));
    this.#histogramCapacity = histogramSlots;
  }

  /** The place that holds a slot, or -1. */
  find(slot: number): number {
    const place = slot % this.capacity;
    return this.slot[place] === slot ? place : -1;
  }

  /** The place for a slot, emptied of what it held before; -1 when newer data is there already. */
  claim(slot: number): number {
    let place = slot % this.capacity;
    let held = this.slot[place] ?? -1;
    while (held !== -1 && held !== slot && this.capacity < this.#largest) {
      this.#grow();
      place = slot % this.capacity;
      held = this.slot[place] ?? -1;
    }
    if (held === slot) return place;
    if (held > slot) return -1;
    this.slot[place] = slot;
    this.sum[place] = 0;
    this.count[place] = 0;
    this.min[place] = Number.POSITIVE_INFINITY;
    this.max[place] = Number.NEGATIVE_INFINITY;
    this.visibleAt[place] = Number.NEGATIVE_INFINITY;
    return place;
  }

  /** The histogram of a slot that is being written. */
  claimHistogram(slot: number): Histogram {
    const place = slot % this.#histogramCapacity;
    let entry = this.#histograms[place];
    if (!entry) {
      entry = { slot, histogram: new Histogram() };
      this.#histograms[place] = entry;
    } else if (entry.slot !== slot) {
      entry.slot = slot;
      entry.histogram.clear();
    }
    return entry.histogram;
  }

  histogramOf(slot: number): Histogram | undefined {
    const entry = this.#histograms[slot % this.#histogramCapacity];
    return entry?.slot === slot ? entry.histogram : undefined;
  }

  #grow(): void {
    const wider = this.capacity * 2;
    const regrow = (old: Float64Array, empty: number): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(wider).fill(empty);
      for (let place = 0; place < this.capacity; place += 1) {
        const slot = this.slot[place] ?? -1;
        if (slot !== -1) grown[slot % wider] = old[place] ?? empty;
      }
      return grown;
    };
    const slots = regrow(this.slot, -1);
    this.sum = regrow(this.sum, 0);
    this.count = regrow(this.count, 0);
    this.min = regrow(this.min, 0);
    this.max = regrow(this.max, 0);
    this.visibleAt = regrow(this.visibleAt, 0);
    this.slot = slots;
    this.capacity = wider;
  }
}

/** What the store knows of time; shared by all its series. */
export interface StoreClock {
  /** The latest evaluation. */
  evaluatedAt: Instant;
}

export class Series {
  /** `AWS/ApplicationELB RequestCount {…}`, for messages. */
  readonly label: string;
  readonly basePeriodMs: number;
  /** Counts puts: what was read at the same instant before a put is stale. */
  version = 0;
  /** Whether the last `read` can never change any more. */
  lastReadFinal = false;

  readonly #clock: StoreClock;
  readonly #minutes = new Slots(minuteMs, minuteRetentionSlots, minuteHistogramSlots);
  readonly #tens: Slots | undefined;
  /** Without histograms: percentiles do not look so far back. */
  readonly #hours = new Slots(hourMs, hourRetentionSlots, 0);
  readonly #merged = new Histogram();
  #sum = 0;
  #count = 0;
  #min = 0;
  #max = 0;
  #sawInvisible = false;

  constructor(label: string, basePeriodSeconds: 10 | 60, clock: StoreClock) {
    this.label = label;
    this.basePeriodMs = basePeriodSeconds * 1_000;
    this.#clock = clock;
    this.#tens =
      basePeriodSeconds === 10 ? new Slots(tenSecondsMs, tenSecondRetentionSlots, tenSecondHistogramSlots) : undefined;
  }

  /**
   * Adds to the point of the base period that `at` falls into. A bare number is one sample.
   *
   * @throws InvalidRequestError for a value that is no number, a set without samples, or data for a slot that is closed
   */
  put(at: Instant, value: number | StatisticSet, visibleAt: Instant): void {
    const slotEnd = (Math.floor(at / this.basePeriodMs) + 1) * this.basePeriodMs;
    if (slotEnd + this.basePeriodMs <= this.#clock.evaluatedAt) {
      this.#refuse(`data for a point that closed at ${iso(slotEnd)}, after it was evaluated`);
    }
    if (this.#tens) this.#putInto(this.#tens, at, value, visibleAt);
    this.#putInto(this.#minutes, at, value, visibleAt);
    this.#putInto(this.#hours, at, value, visibleAt);
    this.version += 1;
  }

  #refuse(what: string): never {
    throw new InvalidRequestError([`${this.label}: ${what}`]);
  }

  #putInto(slots: Slots, at: Instant, value: number | StatisticSet, visibleAt: Instant): void {
    const single = typeof value === "number";
    const sum = single ? value : value.sum;
    const count = single ? 1 : value.count;
    const min = single ? value : value.min;
    const max = single ? value : value.max;
    if (!Number.isFinite(sum) || !Number.isFinite(min) || !Number.isFinite(max) || !(count >= 1)) {
      this.#refuse(
        `not a value, got sum ${sum}, count ${count}, min ${min}, max ${max}; expected finite numbers, count from 1`,
      );
    }
    const slot = Math.floor(at / slots.slotMs);
    const place = slots.claim(slot);
    if (place === -1) this.#refuse(`data from ${iso(at)} is older than what is kept`);
    slots.sum[place] = (slots.sum[place] ?? 0) + sum;
    slots.count[place] = (slots.count[place] ?? 0) + count;
    if (min < (slots.min[place] ?? 0)) slots.min[place] = min;
    if (max > (slots.max[place] ?? 0)) slots.max[place] = max;
    if (visibleAt > (slots.visibleAt[place] ?? 0)) slots.visibleAt[place] = visibleAt;
    if (!single && value.histogram && slots !== this.#hours) {
      slots.claimHistogram(slot).merge(value.histogram, value.histogramDecades);
    }
  }

  /**
   * The statistic over the period that ends at `end`, of what is visible at `now`; NaN where there is no point.
   * Percentiles need puts with histograms, as CloudWatch cannot tell them from statistic sets.
   */
  read(statistic: Statistic, end: Instant, periodMs: number, now: Instant): number {
    const wantsPercentile = statistic.kind === "percentile";
    this.#sum = 0;
    this.#count = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
    this.#sawInvisible = false;
    if (wantsPercentile) this.#merged.clear();

    if (periodMs % minuteMs === 0) {
      const last = end / minuteMs;
      let slot = (end - periodMs) / minuteMs;
      while (slot < last) {
        if (slot % hourMinutes === 0 && slot + hourMinutes <= last && !wantsPercentile && this.#addHour(slot, now)) {
          slot += hourMinutes;
        } else {
          this.#addMinute(slot, now, wantsPercentile);
          slot += 1;
        }
      }
    } else if (this.#tens) {
      this.#addSlots(this.#tens, (end - periodMs) / tenSecondsMs, end / tenSecondsMs, now, wantsPercentile);
    }
    this.lastReadFinal = !this.#sawInvisible && end + this.basePeriodMs <= now;

    if (this.#count === 0) return Number.NaN;
    switch (statistic.kind) {
      case "Sum":
        return this.#sum;
      case "SampleCount":
        return this.#count;
      case "Average":
        return this.#sum / this.#count;
      case "Minimum":
        return this.#min;
      case "Maximum":
        return this.#max;
      default:
        return this.#merged.percentile(statistic.percent);
    }
  }

  /** @returns false where the hour must be read minute by minute: a part of it cannot be seen yet */
  #addHour(firstMinute: number, now: Instant): boolean {
    const slot = firstMinute / hourMinutes;
    const place = this.#hours.find(slot);
    if (place === -1) return true;
    if ((this.#hours.visibleAt[place] ?? 0) > now) return false;
    this.#add(this.#hours, place, slot, false);
    return true;
  }

  #addMinute(slot: number, now: Instant, wantsPercentile: boolean): void {
    const place = this.#minutes.find(slot);
    if (place === -1) return;
    if ((this.#minutes.visibleAt[place] ?? 0) <= now) {
      this.#add(this.#minutes, place, slot, wantsPercentile);
    } else if (this.#tens) {
      this.#addSlots(this.#tens, slot * 6, slot * 6 + 6, now, wantsPercentile);
    } else {
      this.#sawInvisible = true;
    }
  }

  #addSlots(slots: Slots, from: number, to: number, now: Instant, wantsPercentile: boolean): void {
    for (let slot = from; slot < to; slot += 1) {
      const place = slots.find(slot);
      if (place === -1) continue;
      if ((slots.visibleAt[place] ?? 0) <= now) this.#add(slots, place, slot, wantsPercentile);
      else this.#sawInvisible = true;
    }
  }

  #add(slots: Slots, place: number, slot: number, wantsPercentile: boolean): void {
    this.#sum += slots.sum[place] ?? 0;
    this.#count += slots.count[place] ?? 0;
    this.#min = Math.min(this.#min, slots.min[place] ?? 0);
    this.#max = Math.max(this.#max, slots.max[place] ?? 0);
    if (!wantsPercentile) return;
    const histogram = slots.histogramOf(slot);
    if (histogram) this.#merged.merge(histogram);
  }
}

function iso(at: Instant): string {
  return new Date(at).toISOString();
}
