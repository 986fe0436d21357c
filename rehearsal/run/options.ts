/** What a rehearsal is told, checked, and what follows from it: one service, rolled out from the start. */
import { BadInputError } from "../../core/bad-input.ts";
import type { MetricSource, Objective } from "../../core/objectives.ts";
import { exposuresOf, type Plan } from "../../core/plans.ts";
import type { Instant } from "../../core/record.ts";
import type { Release } from "../../core/releases.ts";
import type { EnvironmentConfig, ServiceConfig } from "../../stacks/config.ts";
import { type Fault, isRequestFault, type Scenario } from "../scenarios.ts";
import type { RecordedTraffic } from "../traffic/recorded.ts";
import { sizeFault } from "./fault-size.ts";

export interface RehearsalOptions {
  /** A checked stack config, a service stack's with what is its foundation's. Only the rehearsed service is declared; wave and attempt of the file are left aside. */
  readonly config: EnvironmentConfig;
  /** Name of the stack, for the report. */
  readonly stack: string;
  /** @default the first by name */
  readonly service?: string;
  readonly scenario: Scenario;
  /** @default 1 */
  readonly seed?: number;
  /** Recorded traffic instead of the rehearsal's own; its first row falls on the start. */
  readonly recorded?: RecordedTraffic;
  readonly source?: MetricSource;
  readonly plan?: Plan;
  readonly objectives?: readonly Objective[];
  /** The wave in which faults start that name none. Unit: percent. @default the plan's second wave, or its only one */
  readonly faultWavePercent?: number;
  /** Off: the alarms speak and nobody acts on them. @default "on" */
  readonly hook?: "on" | "off";
  /** A second run with the hook off, for `badRequestsWithoutHook`. @default true */
  readonly compareWithoutHook?: boolean;
  /** Whether the run goes on after a rollback: somebody asks for more, another change, acknowledge, next attempt. @default true */
  readonly aftermath?: boolean;
  /**
   * Opens every wave with this reason, so that its soak is its minimum: for runs that ask what comes of a fault, and not for how long the gate
   * waits to have seen enough. @default none: the gate is asked, as by anyone
   */
  readonly overrideReason?: string;
  /** Ends the first attempt this long after the fault began, whatever happened. Unit: minutes. @default no end */
  readonly endAfterFaultMinutes?: number;
  /** Ends the first attempt at this instant, for the run that is compared with another. */
  readonly endAt?: Instant;
  /** Alarms that are taken away after each `up`, to see that nothing else detects. */
  readonly withoutAlarms?: (alarmName: string) => boolean;
}

/** A service with a canary: what a rehearsal needs. */
export type RehearsedService = ServiceConfig & { readonly canary: Release };

/** The options with every default filled in. */
export interface Rehearsal extends RehearsalOptions {
  readonly seed: number;
  readonly rehearsed: RehearsedService;
  readonly faultWavePercent: number;
  readonly hook: "on" | "off";
  readonly aftermath: boolean;
  /** The source that was asked for, where the rehearsal's own CloudWatch watches in its place. */
  readonly standsInFor?: Exclude<MetricSource, CloudWatchSource>;
}

/** Sources whose watching system is modelled. */
type CloudWatchSource = "alb" | "emf";

/**
 * Grafana's and Datadog's own evaluation is not modelled: their rules are rehearsed on what a release reports to CloudWatch itself.
 * That all of them say the same is proven elsewhere (`docs/agreement.md`); how late each is, is not.
 */
function rehearsedSource(source: MetricSource): Pick<Rehearsal, "standsInFor"> & { readonly source: CloudWatchSource } {
  return source === "prometheus" || source === "datadog" ? { source: "emf", standsInFor: source } : { source };
}

const systems = { prometheus: "Grafana", datadog: "Datadog" } as const;

/** What to tell a reader of what stands in for something else; `undefined`: nothing does. */
export function standInText({ standsInFor, rehearsed }: Pick<Rehearsal, "standsInFor" | "rehearsed">) {
  const texts = [sourceText(standsInFor), workloadText(rehearsed)].filter((text) => text !== undefined);
  return texts.length === 0 ? undefined : texts.join(". ");
}

function workloadText({ workload }: Pick<ServiceConfig, "workload">): string | undefined {
  if (!workload) return undefined;
  return `what runs behind the releases is rehearsed as processes that follow load between the program's own floor and ceiling; objects of ${workload.kind}, their probes and how a process stops are not modelled`;
}

function sourceText(standsInFor: Rehearsal["standsInFor"]): string | undefined {
  if (standsInFor === undefined) return undefined;
  const system = systems[standsInFor];
  return `source ${standsInFor} is rehearsed on emf: the same rules, watched by CloudWatch here. ${system}'s own evaluation and delay, its notifications, and the hook's reading of its states are not modelled`;
}

function faultProblems(fault: Fault, service: Parameters<typeof sizeFault>[1]): readonly string[] {
  if (!isRequestFault(fault)) return [];
  try {
    sizeFault(fault, service, "");
    return [];
  } catch (error) {
    if (error instanceof BadInputError) return error.problems;
    throw error;
  }
}

/** Hosts of each release. */
export const hostsPerGroup = 4;

/** Monday, at an hour when the daily rhythm passes its mean. */
export const startAt: Instant = Date.UTC(2026, 0, 5, 8, 50);

/**
 * Checks the options against the config.
 * @throws BadInputError with every problem
 */
export function readOptions(options: RehearsalOptions): Rehearsal {
  const problems: string[] = [];
  const { config, scenario } = options;
  const names = config.services.map((service) => service.name);
  const service = config.services.find((candidate) => candidate.name === (options.service ?? names[0]));
  if (!service) {
    const got = options.service === undefined ? "none" : `"${options.service}"`;
    problems.push(
      `--service: unknown service, got ${got}; expected ${names.join(", ") || "a service in the stack's config"}. Stack ${options.stack} has no other`,
    );
  }
  if (service && !service.canary) {
    problems.push(
      `services.${service.name}.canary: missing; expected the release to rehearse. Name one, it does not have to exist yet`,
    );
  }
  const plan = options.plan ?? service?.plan;
  const waves = plan ? exposuresOf(plan) : [];
  const asked = [
    ...(options.faultWavePercent === undefined ? [] : [{ place: "fault wave", percent: options.faultWavePercent }]),
    ...scenario.faults.flatMap((fault, index) =>
      fault.wavePercent === undefined ? [] : [{ place: `faults[${index}].at.wave`, percent: fault.wavePercent }],
    ),
  ];
  for (const { place, percent } of asked) {
    if (plan && !waves.includes(percent))
      problems.push(
        `${place}: not in the plan (${plan.name}), got ${percent}; expected ${waves.join(", ")}. Name one of its waves`,
      );
  }
  if (service && !service.control && !scenario.control && scenario.faults.some(({ on }) => on === "control")) {
    problems.push(
      `services.${service.name}.control: missing; expected a control for a fault of it. Write control: true in the scenario, or control: {} in the stack`,
    );
  }
  if (service?.canary) {
    const sized = {
      name: service.name,
      objectives: options.objectives ?? service.objectives,
      source: options.source ?? service.source,
    };
    for (const fault of scenario.faults) problems.push(...faultProblems(fault, sized));
  }
  if (problems.length > 0 || !service?.canary || !plan) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    throw new BadInputError(`this rehearsal has ${count} (stack ${options.stack}):`, problems);
  }
  const { source, ...standIn } = rehearsedSource(options.source ?? service.source);
  // Nobody signs in virtual time, no file has a result of it, a calendar of its own would only make the rehearsal wait, and there is no other
  // environment that a release could have finished in.
  const {
    overrideReason: _override,
    replaceBaselineReason: _replace,
    approvals: _signed,
    checks: _ran,
    ...kept
  } = service;
  const { freezes: _frozen, ladderBelow: _below, ...environment } = config;
  const rehearsed: RehearsedService = {
    ...kept,
    canary: service.canary,
    plan: unsigned(plan),
    source,
    objectives: options.objectives ?? service.objectives,
    wavePercent: 0,
    attempt: 1,
    retire: false,
  };
  return {
    ...options,
    ...standIn,
    // A service stack is rehearsed with its foundation, as one environment.
    config: { ...environment, foundation: "here" },
    seed: options.seed ?? 1,
    rehearsed,
    faultWavePercent: options.faultWavePercent ?? waves[1] ?? waves[0] ?? 100,
    hook: options.hook ?? "on",
    aftermath: options.aftermath ?? true,
  };
}

/** The plan without the people who would have to sign. */
function unsigned(plan: Plan): Plan {
  return { ...plan, waves: plan.waves.map(({ approvals: _roles, ...wave }) => wave) };
}
