/**
 * zod as the hook uses it: the functional build with English messages. The other build carries every schema's methods along, which are a
 * sixth of the bundle and a quarter of its loading time, and a rollback waits for that.
 * Import `zod/mini` itself as a namespace beside this: through another module it could not be thinned out.
 */

import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { indicators, responses } from "../core/objectives.ts";
import { splitters } from "../core/split.ts";

z.config(en());

const text = z.string().check(z.minLength(1));
const percent = z.number().check(z.gte(0), z.lte(100));
const count = z.int().check(z.nonnegative());

const indicator = z.enum(Object.keys(indicators) as [keyof typeof indicators, ...(keyof typeof indicators)[]]);

/** A wave's own bound; see `core/plans.ts`. Those of older versions are text alone. */
const criterion = z.strictObject({
  text: z.string(),
  kind: z.enum(["advance", "rollback"]),
  watch: z.optional(
    z.strictObject({
      indicator,
      bound: z.strictObject({
        value: z.number(),
        reference: z.optional(
          z.union([
            z.strictObject({ kind: z.literal("baseline"), form: z.enum(["factor", "points"]) }),
            z.strictObject({ kind: z.literal("previous-wave"), form: z.enum(["factor", "points"]) }),
            z.strictObject({ kind: z.literal("growth") }),
          ]),
        ),
        response: z.enum(responses),
        windowSeconds: z.optional(z.number().check(z.positive())),
      }),
      minimumRequests: z.optional(count),
      minimumErrors: z.optional(count),
    }),
  ),
});

/** What a wave that opened is measured against; see `core/watch-rules.ts`. */
const figure = z.strictObject({
  of: z.enum(["previous-wave", "baseline"]),
  percent,
  indicator,
  value: z.number(),
});

/** The baseline's second group; see `core/control.ts`. */
const controlGroup = z.strictObject({
  targetGroupArn: text,
  targetGroupArnSuffix: text,
  releaseKey: text,
  digest: text,
  adopted: z.boolean(),
  sharePercent: percent,
});

/** What a service promises its users; see `core/record.ts`. */
const promises = z.strictObject({
  objectives: z.array(
    z.strictObject({
      name: text,
      indicator,
      target: z.number(),
      minimumRequests: z.optional(count),
      minimumErrors: z.optional(count),
    }),
  ),
  budgetPeriodDays: z.optional(z.union([z.literal(28), z.literal(30)])),
});

/** What runs behind the target groups, and how many processes a rollback needs by digest; see `core/capacity.ts`. */
const workload = z.strictObject({ minimumCount: count, maximumCount: count });
const capacity = z.record(text, count);

/** Where the metrics of a release are that left; see `core/former-releases.ts`. */
const formerRelease = z.strictObject({ releaseKey: text, targetGroupArnSuffix: text, until: z.number() });

/** A flag that goes with the rollout; see `core/split.ts`. */
const recordedSplit = z.strictObject({
  by: z.enum(splitters),
  flag: text,
  applicationId: text,
  environmentId: text,
  profileId: text,
  strategyId: text,
  alarmName: z.optional(text),
});

const finishedFigures = z.strictObject({
  "error-rate": z.optional(z.number()),
  "latency-p95": z.optional(z.number()),
});

/** A release that finished a rollout; see `core/gate/evidence.ts`. */
const finishedRelease = z.strictObject({
  version: text,
  digest: text,
  at: z.number(),
  figures: finishedFigures,
  requests: z.optional(count),
});

export {
  capacity,
  controlGroup,
  count,
  criterion,
  figure,
  finishedFigures,
  finishedRelease,
  formerRelease,
  indicator,
  percent,
  promises,
  recordedSplit,
  text,
  workload,
};
