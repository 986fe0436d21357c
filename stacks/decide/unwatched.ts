/** What of a service's promises nobody watches, by name and with the reason, every time: silence must not pass for being watched (B1, B9). */
import type { ServiceSurvey } from "../../components/settings.ts";
import { targetKindOf } from "../../components/target-kind.ts";
import { uncounted } from "../../core/alarms.ts";
import { burnRules } from "../../core/burn-rate.ts";
import { canaryContext, type Declaration, type Notice } from "../../core/declaration.ts";
import { askedCriteria } from "../../core/gate/criteria.ts";
import { isMeasurable, splitByMeasurability } from "../../core/objectives.ts";
import { completeWave, type WaveCriterion, waveAt } from "../../core/plans.ts";
import { type Unwatched, watchRules, waveObjective } from "../../core/watch-rules.ts";
import type { ServiceConfig } from "../config.ts";
import { actingObjectives } from "./criteria.ts";

/** Everything about one service. */
export function unwatchedNotices(service: ServiceConfig, declared: Declaration, found: ServiceSurvey): Notice[] {
  return [
    ...unseen(service),
    ...unchecked(service, found),
    ...ofCanary(service, declared, found),
    ...ofFinished(service, declared, found),
    ...ofWaves(service),
    ...ofBudget(service, declared, found),
  ];
}

function warning(text: string): Notice {
  return { kind: "unwatched", severity: "warning", text };
}

function unseen({ name, objectives, source }: ServiceConfig): Notice[] {
  const names = splitByMeasurability(objectives, source).unseen.map((objective) => objective.name);
  return names.length === 0
    ? []
    : [warning(`${name}: not watched, since source ${source} does not measure them: ${names.join(", ")}`)];
}

function unchecked(service: ServiceConfig, found: ServiceSurvey): Notice[] {
  return [service.baseline, ...(service.canary ? [service.canary] : [])].flatMap((release) => {
    const names = uncounted(service.objectives, targetKindOf(release.targetGroupArn, found)).map(({ name }) => name);
    return names.length === 0
      ? []
      : [
          warning(
            `${service.name}: not watched on ${release.version}, since its Lambda target group has no health checks: ${names.join(", ")}`,
          ),
        ];
  });
}

/** Bounds that are relative, and those of single waves: what is missing for the wave at hand, and what a later wave brings. */
function ofCanary(service: ServiceConfig, declared: Declaration, found: ServiceSurvey): Notice[] {
  const { canary, exposurePercent, liveSet } = declared;
  const release = liveSet.find(({ digest }) => digest === canary?.digest);
  const context = release && canaryContext(declared, service.plan, release.digest);
  if (!release || !context) return [];
  const target = targetKindOf(release.targetGroupArn, found);
  const told = new Set([
    ...splitByMeasurability(service.objectives, service.source).unseen.map(({ name }) => name),
    ...uncounted(service.objectives, target).map(({ name }) => name),
  ]);
  const bounds = watchRules(service.objectives, service.source, { target, canary: context }).unwatched.filter(
    ({ objective }) => !told.has(objective),
  );
  const wavePercent = waveAt(service.plan, exposurePercent)?.exposurePercent ?? 0;
  const now = bounds.filter(({ atPercents }) => !atPercents || atPercents.includes(wavePercent));
  const later = bounds.filter(({ atPercents }) => atPercents?.every((percent) => percent > wavePercent));
  const list = (some: readonly Unwatched[]) => some.map(textOf).join("; ");
  return [
    ...(now.length === 0
      ? []
      : [warning(`${service.name}: not watched on ${release.version} at ${exposurePercent} %: ${list(now)}`)]),
    ...(later.length === 0
      ? []
      : [
          {
            kind: "unwatched",
            severity: "info",
            text: `${service.name}: not watched on ${release.version} yet: ${list(later)}`,
          } satisfies Notice,
        ]),
  ];
}

/** With the finish the canary is one no more: what was measured beside the baseline, and the last wave's own bounds, end with it. */
function ofFinished(service: ServiceConfig, declared: Declaration, found: ServiceSurvey): Notice[] {
  const release = declared.liveSet.find(({ digest }) => digest === declared.baseline);
  if (declared.step !== "finish" || !release) return [];
  const { name, objectives, source, plan } = service;
  const target = targetKindOf(release.targetGroupArn, found);
  const ofWave = (waveAt(plan, 100)?.criteria ?? []).flatMap(({ kind, watch }) =>
    kind === "rollback" && watch ? [`${waveObjective(watch.indicator, watch.bound.reference?.kind)} (critical)`] : [],
  );
  const relative = watchRules(objectives, source, { target })
    .unwatched.filter(({ objective, severity }) =>
      objectives.some(
        (known) =>
          known.name === objective && isMeasurable(known.indicator, source) && known[severity]?.reference !== undefined,
      ),
    )
    .map(({ objective, severity }) => `${objective} (${severity})`);
  const names = [...new Set([...relative, ...ofWave])];
  return names.length === 0
    ? []
    : [
        warning(
          `${name}: not watched on ${release.version} any more once it is the baseline, since only a canary is watched for what is relative or its wave's own: ${names.join(", ")}`,
        ),
      ];
}

function textOf({ objective, severity, why, atPercents }: Unwatched): string {
  const where = atPercents ? ` at ${atPercents.join(", ")} %` : "";
  return `${objective} (${severity}${where}), ${why}`;
}

/** What of a plan's criteria nobody can watch, and what of them the gate cannot measure or leaves to people. */
function ofWaves(service: ServiceConfig): Notice[] {
  const { name, plan, source, gate } = service;
  const criteria = plan.waves.flatMap((wave) =>
    wave.criteria.map((criterion) => ({ ...criterion, where: `${wave.exposurePercent} % ${criterion.text}` })),
  );
  const isByHand = ({ watch }: WaveCriterion) =>
    watch !== undefined && gate?.byHand?.includes(watch.indicator) === true;
  const asked = criteria.filter(({ kind }) => kind === "advance");
  // Aims are asked in every wave, and told once.
  const aims = askedCriteria(
    { ...plan, waves: [completeWave({ exposurePercent: 100, minimumSoakMinutes: null })] },
    100,
    actingObjectives(service),
    { source },
  )
    .filter(({ indicator }) => gate?.byHand?.includes(indicator))
    .map(({ text }) => text);
  const byHand = [...asked.filter(isByHand).map(({ where }) => where), ...aims];
  const unmeasured = asked.filter(
    (criterion) =>
      criterion.watch !== undefined && !isByHand(criterion) && !isMeasurable(criterion.watch.indicator, source),
  );
  const untold = criteria.filter(({ watch }) => !watch);
  const list = (some: typeof criteria) => some.map(({ where }) => where).join("; ");
  return [
    ...(unmeasured.length === 0
      ? []
      : [
          warning(
            `${name}: the gate cannot judge what plan ${plan.name} asks for before it goes on, since source ${source} does not measure it, and stays: ${list(unmeasured)}. Report it, or name it in gate.byHand where somebody looks at it`,
          ),
        ]),
    ...(byHand.length === 0
      ? []
      : [
          warning(
            `${name}: left to people by gate.byHand, so look for yourself before it goes on: ${byHand.join("; ")}`,
          ),
        ]),
    ...(untold.length === 0
      ? []
      : [warning(`${name}: plan ${plan.name} has bounds in words alone, which nobody can watch: ${list(untold)}`)]),
  ];
}

/** Pairs of burn-rate windows that have no alarm. */
function ofBudget(service: ServiceConfig, { liveSet, baseline }: Declaration, found: ServiceSurvey): Notice[] {
  const { name, objectives, source, burnRate } = service;
  if (!burnRate) return [];
  const release = liveSet.find(({ digest }) => digest === baseline);
  const { unwatched } = burnRules(objectives, source, burnRate, targetKindOf(release?.targetGroupArn, found));
  if (unwatched.length === 0) return [];
  const text = `${name}: burn-rate windows not watched: ${unwatched.map(({ key, why }) => `${key}, ${why}`).join("; ")}`;
  return [{ kind: "unwatched", severity: unwatched.some(({ neverFires }) => neverFires) ? "warning" : "info", text }];
}
