/** Every belief, in the order in which they are probed: the quick ones first. */
import type { Belief } from "../belief.ts";
import { metricDelay } from "./figures.ts";
import { anchorKeepsChecks, emptyKeepsShare, unhealthyKeepsShare } from "./health.ts";
import { dnsFailover, ownErrorsUnseen, webSockets } from "./not-probed.ts";
import { offReleases, removalEvicts, weightZeroKeepsSticky } from "./stickiness.ts";
import { allWeightsZero, oldWeightsGone, weightsTakeEffect, weightZeroKept } from "./weights.ts";
import { lastWriterWins, tagsAtOnce, thirtyWrites, writeReplacesWhole } from "./writing.ts";

export const beliefs: readonly Belief[] = [
  writeReplacesWhole,
  lastWriterWins,
  tagsAtOnce,
  thirtyWrites,
  weightsTakeEffect,
  removalEvicts,
  offReleases,
  weightZeroKeepsSticky,
  weightZeroKept,
  allWeightsZero,
  emptyKeepsShare,
  oldWeightsGone,
  anchorKeepsChecks,
  unhealthyKeepsShare,
  metricDelay,
  webSockets,
  dnsFailover,
  ownErrorsUnseen,
];
