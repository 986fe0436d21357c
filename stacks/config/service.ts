/** One service of the stack config: its own keys and how they must fit together. What concerns several is `across.ts`. */
import { z } from "zod";
import { isSlug, maximumServiceLength, slugRule } from "../../core/naming.ts";
import { type MetricSource, metricSources } from "../../core/objectives.ts";
import { exposuresOf, type Plan } from "../../core/plans.ts";
import type { Release } from "../../core/releases.ts";
import { readApprovals } from "./approvals.ts";
import { readBurnRate } from "./burn-rate.ts";
import { readChecks } from "./checks.ts";
import { readControl } from "./control.ts";
import { readGate } from "./gate.ts";
import { readTesters } from "./match.ts";
import type { ControlConfig, ServiceConfig } from "./model.ts";
import { readObjectives } from "./objectives.ts";
import { readPlan } from "./plan.ts";
import {
  checkFields,
  flag,
  isMap,
  leaf,
  listText,
  type Path,
  type Problems,
  reason,
  wholeNumber,
  word,
} from "./problems.ts";
import { readRelease } from "./release.ts";
import { completeRoutes, type ReadRoute, readMoreRoutes, readRoute, routeFields } from "./route.ts";
import { readSplit } from "./split.ts";
import { readTargetGroup } from "./target-group.ts";
import { checkAlarms } from "./watching.ts";
import { readWorkload } from "./workload.ts";

const slug = (wrong: string) =>
  leaf(
    z.string().refine((name) => isSlug(name, maximumServiceLength)),
    { wrong, expected: `at most ${maximumServiceLength} characters: ${slugRule}` },
  );
const serviceFields = {
  mode: word(["act", "observe"], "unknown mode"),
  ...routeFields,
  moreRoutes: z.unknown(),
  testers: z.unknown(),
  baseline: z.unknown(),
  canary: z.unknown(),
  control: z.unknown(),
  wave: wholeNumber(0, 100, "percent").optional(),
  attempt: wholeNumber(1, 1_000).optional(),
  plan: z.unknown(),
  objectives: z.unknown(),
  source: word(metricSources, "unknown source").optional(),
  burnRate: z.unknown(),
  gate: z.unknown(),
  approvals: z.unknown(),
  checks: z.unknown(),
  stickinessSeconds: wholeNumber(1, 604_800, "seconds").optional(),
  readyTimeoutSeconds: wholeNumber(1, 3_600, "seconds").optional(),
  blindMinutes: wholeNumber(1, 1_440, "minutes").optional(),
  rollbackWindowMinutes: wholeNumber(2, 43_200, "minutes").optional(),
  dependencyOwner: slug("not an owner's name").optional(),
  dependencyGroup: slug("not a group's name").optional(),
  targetGroup: z.unknown(),
  workload: z.unknown(),
  split: z.unknown(),
  replaceBaselineReason: reason.optional(),
  overrideReason: reason.optional(),
  retire: flag.optional(),
};

/** What could be read of a service, for the checks across services; complete when `config` is there. */
export interface ReadService {
  readonly path: Path;
  /** The service's own, then those of `moreRoutes`. */
  readonly routes: readonly ReadRoute[];
  readonly baseline?: Release;
  readonly canary?: Release;
  readonly control?: ControlConfig;
  readonly dependencyOwner?: string;
  /** As written; absent too where it is no source. */
  readonly source?: MetricSource;
  readonly config?: ServiceConfig;
}

function checkReleases(
  baseline: Release | undefined,
  canary: Release | undefined,
  path: Path,
  problems: Problems,
): void {
  if (!baseline || !canary || baseline.digest !== canary.digest) return;
  problems.add(
    [...path, "canary"],
    {
      wrong: "the same digest as the baseline",
      expected: "another release",
      wayOut: "To finish a rollout, leave canary out; to start one, give the new image's digest",
    },
    canary.digest,
  );
}

function checkWave(
  fields: { readonly wave?: number; readonly waveGiven: boolean; readonly hasCanary: boolean; readonly plan?: Plan },
  path: Path,
  problems: Problems,
): void {
  const place = [...path, "wave"];
  const { wave, waveGiven, hasCanary, plan } = fields;
  const steps = plan && listText([0, ...exposuresOf(plan)]);
  if (!hasCanary && wave !== undefined && wave > 0) {
    problems.add(
      place,
      { wrong: "a wave without a canary", expected: "0, or no wave", wayOut: "Name the canary it is for" },
      wave,
    );
  } else if (hasCanary && !waveGiven) {
    problems.add(place, {
      wrong: "missing",
      expected: steps ?? "0 or a wave of the plan",
      wayOut: "Write wave: 0 to stage the canary without traffic",
    });
  } else if (plan && wave !== undefined && wave > 0 && !exposuresOf(plan).includes(wave)) {
    problems.add(
      place,
      {
        wrong: `not in the plan (${plan.name})`,
        expected: steps ?? "",
        wayOut: `Or add a wave of ${wave} to the plan`,
      },
      wave,
    );
  }
}

/**
 * Reads one service, naming every problem.
 * @param folder the stack file's, where there is one; files that a service names are relative to it
 */
export function readService(name: string, raw: unknown, path: Path, problems: Problems, folder?: string): ReadService {
  const before = problems.texts.length;
  const fields = checkFields(serviceFields, raw, path, problems);
  if (!isMap(raw)) return { path, routes: [] };
  const { mode, wave } = fields;

  const testing = readTesters(fields.testers, [...path, "testers"], problems);
  const read = [
    readRoute(fields, testing, path, problems),
    ...readMoreRoutes(fields.moreRoutes, testing, [...path, "moreRoutes"], problems),
  ];
  const routes = completeRoutes(read);

  const baseline = readRelease(fields.baseline, [...path, "baseline"], problems);
  const hasCanary = fields.canary !== undefined;
  const canary = hasCanary ? readRelease(fields.canary, [...path, "canary"], problems) : undefined;
  checkReleases(baseline, canary, path, problems);
  const control = readControl(fields.control, [...path, "control"], problems);

  // With an unreadable source the rest is checked as if it could measure most, to name only what is wrong anyway.
  const metricSource: MetricSource = fields.source ?? (raw.source === undefined ? "alb" : "emf");
  const light = { source: metricSource, problems };
  const split = readSplit(fields.split, [...path, "split"], {
    source: metricSource,
    hasControl: fields.control !== undefined,
    hasStickiness: fields.stickinessSeconds !== undefined,
    problems,
  });
  const plan = readPlan(fields.plan, [...path, "plan"], light);
  checkWave({ wave, waveGiven: raw.wave !== undefined, hasCanary, plan }, path, problems);

  const placed = { ...light, service: name, ...(folder === undefined ? {} : { folder }) };
  const promised = readObjectives(fields.objectives, [...path, "objectives"], placed);
  const objectives = promised?.objectives;
  const burnRate = readBurnRate(fields.burnRate, [...path, "burnRate"], {
    objectives,
    ...(promised?.burnRate === undefined ? {} : { fromFile: promised.burnRate }),
    problems,
  });
  const approvals = readApprovals(fields.approvals, [...path, "approvals"], problems);
  const checksContext = { plan, problems, ...(folder === undefined ? {} : { folder }) };
  const checks = readChecks(fields.checks, [...path, "checks"], checksContext);
  const gate = readGate(fields.gate, [...path, "gate"], problems);
  const targetGroupPath = [...path, "targetGroup"];
  const targetGroup = readTargetGroup(fields.targetGroup, targetGroupPath, problems);
  const workload = readWorkload(fields.workload, [...path, "workload"], {
    targetGroup,
    targetGroupPath,
    problems,
    ...(folder === undefined ? {} : { folder }),
  });

  const owner = fields.dependencyOwner === undefined ? {} : { dependencyOwner: fields.dependencyOwner };
  const found = {
    path,
    routes: read,
    baseline,
    canary,
    ...(control ? { control } : {}),
    ...owner,
    ...(fields.source === undefined ? {} : { source: fields.source }),
  };
  const complete = mode && routes && baseline && plan && objectives;
  if (!complete || problems.texts.length > before) return found;
  const config: ServiceConfig = {
    name,
    mode,
    routes,
    ...(testing ? { testers: testing } : {}),
    baseline,
    ...(canary ? { canary } : {}),
    ...(control ? { control } : {}),
    wavePercent: wave ?? 0,
    attempt: fields.attempt ?? 1,
    plan,
    objectives,
    source: metricSource,
    ...(burnRate === undefined ? {} : { burnRate }),
    ...(gate === undefined ? {} : { gate }),
    ...(approvals === undefined ? {} : { approvals }),
    ...(checks === undefined ? {} : { checks }),
    ...(fields.stickinessSeconds === undefined ? {} : { stickinessSeconds: fields.stickinessSeconds }),
    readyTimeoutSeconds: fields.readyTimeoutSeconds ?? 300,
    blindMinutes: fields.blindMinutes ?? 15,
    rollbackWindowMinutes: fields.rollbackWindowMinutes ?? 1_440,
    ...owner,
    ...(fields.dependencyGroup === undefined ? {} : { dependencyGroup: fields.dependencyGroup }),
    targetGroup,
    ...(workload === undefined ? {} : { workload }),
    ...(split === undefined ? {} : { split }),
    ...(fields.replaceBaselineReason === undefined ? {} : { replaceBaselineReason: fields.replaceBaselineReason }),
    ...(fields.overrideReason === undefined ? {} : { overrideReason: fields.overrideReason }),
    retire: fields.retire ?? false,
  };
  checkAlarms(config, path, problems);
  return { ...found, config };
}
