/**
 * Which waves may open next. Nothing is judged here: each candidate is given to the very decision that an `up` makes, with the next wave
 * as if the config asked for it, and what comes out is what an `up` would do a moment later.
 */
import type { Declaration } from "../core/declaration.ts";
import { messageOf } from "../core/error-message.ts";
import { nextWaveAbove, type Wave } from "../core/plans.ts";
import { committedPercent, type RolloutRecord } from "../core/record.ts";
import type { Surveyor } from "../core/survey.ts";
import type { EnvironmentConfig, ServiceConfig } from "../stacks/config.ts";
import { type DecidePorts, decideEnvironment, surveyEnvironment } from "../stacks/decide.ts";
import { withOtherCanaries } from "../stacks/dependency-groups.ts";

/**
 * `advance`: the wave may open. `asked`: so may one that the config asks for already, and no `up` has opened it. `held`: it is due and may
 * not, yet. `nothing`: there is no wave for this command to open.
 */
export type Advance =
  | { readonly kind: "asked"; readonly service: string; readonly fromPercent: number; readonly toPercent: number }
  | { readonly kind: "advance"; readonly service: string; readonly fromPercent: number; readonly toPercent: number }
  | { readonly kind: "held"; readonly service: string; readonly reasons: readonly string[] }
  | { readonly kind: "nothing"; readonly service: string; readonly reason: string };

/** A service's advance, and what it was concluded from. */
export interface Decided {
  readonly advance: Advance;
  readonly declaration?: Declaration;
}

/** What an `up` would declare for a config. */
export type Decide = (config: EnvironmentConfig) => Promise<readonly Declaration[]>;

export interface AdvanceQuery {
  /** @default every service of the config */
  readonly service?: string;
  /** Only waves that the plan marks `advance: automatic`, and one of them a run: what is committed unseen is one line. */
  readonly automaticOnly: boolean;
}

/**
 * Judges service after service, ascending by name; one that may advance is judged together with those before it, since one refusal stops
 * a whole `up`.
 */
export async function decideAdvances(
  config: EnvironmentConfig,
  ports: DecidePorts,
  surveyor: Surveyor,
  query: AdvanceQuery,
): Promise<Advance[]> {
  const decide = await upDecision(config, ports, surveyor);
  const found: Advance[] = [];
  let asked = config;
  for (const service of config.services) {
    if (query.service !== undefined && service.name !== query.service) continue;
    const { advance: decided } = await decideOne(asked, service, decide, ports.records, query);
    const first = query.automaticOnly ? found.find(({ kind }) => kind === "advance") : undefined;
    const advance = first && decided.kind === "advance" ? waitsFor(first.service, service.name) : decided;
    found.push(advance);
    if (advance.kind === "advance") asked = withWave(asked, service.name, advance.toPercent);
  }
  return found;
}

/** The very decision of an `up`; what services adopt is surveyed once. */
export async function upDecision(config: EnvironmentConfig, ports: DecidePorts, surveyor: Surveyor): Promise<Decide> {
  const adopted = await surveyEnvironment(config, surveyor, ports);
  return async (wanted) => withOtherCanaries(wanted, await decideEnvironment(wanted, ports, adopted), ports);
}

/** @returns with what an `up` would declare for that wave, where it came to that */
export async function decideOne(
  config: EnvironmentConfig,
  service: ServiceConfig,
  decide: Decide,
  records: DecidePorts["records"],
  { automaticOnly }: AdvanceQuery,
): Promise<Decided> {
  const { name } = service;
  const nothing = (reason: string): Decided => ({ advance: { kind: "nothing", service: name, reason } });
  const held = (reasons: readonly string[], declaration?: Declaration): Decided => ({
    advance: { kind: "held", service: name, reasons },
    ...(declaration ? { declaration } : {}),
  });
  if (!service.canary) return nothing("the config names no canary");
  let record: RolloutRecord | undefined;
  let unreadable: string | undefined;
  try {
    record = await records.read(name);
  } catch (error) {
    unreadable = `the record cannot be read (${messageOf(error)})`;
  }
  const wanted = nextAskedFor(record, service);
  // A wave that is a person's to open is a person's to look after, too.
  const isAsked = wanted !== undefined && (!automaticOnly || wanted.advance === "automatic");
  const next = isAsked ? wanted : nextWaveAbove(service.plan, service.wavePercent);
  if (!next) return nothing("all waves of the plan are open; naming the release as baseline finishes it");
  const notAutomatic = automaticOnly ? whyNotAutomatic(next, service) : undefined;
  if (notAutomatic !== undefined) return nothing(notAutomatic);

  if (unreadable !== undefined) return held([unreadable]);
  const mismatch = isAsked ? undefined : recordMismatch(record, service);
  if (mismatch !== undefined) return held([mismatch]);
  const declarations = await decide(withWave(config, name, next.exposurePercent));
  const refusals = declarations.flatMap((declaration) => declaration.refusals);
  const mine = declarations.find((declaration) => declaration.service === name);
  if (refusals.length > 0 || !mine) return held(refusals, mine);
  if (mine.step !== "opening" || mine.exposurePercent !== next.exposurePercent) return held(whyNotOpening(mine), mine);
  const others = mine.otherCanaries ?? [];
  if (others.length > 0)
    return held([`${others.join(", ")} of the same dependency group has a canary with traffic; one at a time`], mine);
  const kind = isAsked ? "asked" : "advance";
  const advance = { kind, service: name, fromPercent: mine.fromPercent, toPercent: next.exposurePercent } as const;
  return { advance, declaration: mine };
}

/** The wave that the config asks for, where it is exactly the next one of the record: that `up` was not run, or it failed. */
function nextAskedFor(
  record: RolloutRecord | undefined,
  { canary, plan, wavePercent }: ServiceConfig,
): Wave | undefined {
  if (!record?.canary || record.canary.digest !== canary?.digest) return undefined;
  const next = nextWaveAbove(plan, committedPercent(record));
  return next?.exposurePercent === wavePercent ? next : undefined;
}

/** What would advance by itself waits until the next run. */
function waitsFor(other: string, service: string): Advance {
  return { kind: "held", service, reasons: [`${other} advances in this run; one wave a run opens by itself`] };
}

function whyNotAutomatic(next: Wave, service: ServiceConfig): string | undefined {
  if (next.advance !== "automatic")
    return `wave ${next.exposurePercent} is a person's to open (the plan does not mark it advance: automatic)`;
  // It would lift the soak of a wave that nobody looks at.
  if (service.overrideReason !== undefined)
    return "the config has an overrideReason, which is a person's; take it out first";
  return undefined;
}

/** The next wave is counted from what is real; a config that says something else has to be brought to it first. */
export function recordMismatch(record: RolloutRecord | undefined, service: ServiceConfig): string | undefined {
  if (!record) return "there is no record yet; the first up stages the canary at 0 %";
  const canary = record.canary;
  if (!canary || canary.digest !== service.canary?.digest)
    return `the record's canary is another release than the config's ${service.canary?.version}; run up with the config as it is first`;
  const have = committedPercent(record);
  return have === service.wavePercent
    ? undefined
    : `the config says ${service.wavePercent} % and the record has ${have} %; run up with the config as it is first, or set the wave that is real`;
}

export function whyNotOpening({ notices, service, exposurePercent }: Declaration): string[] {
  const said = notices
    .filter(({ severity, kind }) => severity === "warning" && kind !== "unwatched")
    .map(({ text }) => text);
  return said.length > 0 ? said : [`${service}: this up would leave it at ${exposurePercent} %`];
}

function withWave(config: EnvironmentConfig, service: string, wavePercent: number): EnvironmentConfig {
  return {
    ...config,
    services: config.services.map((each) => (each.name === service ? { ...each, wavePercent } : each)),
  };
}
