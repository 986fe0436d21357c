/**
 * One service under Tidegate without Pulumi: an `up` is decide, guard, rule write, commit, with the real code of each. Reads as
 * the sequences of the record's table do.
 */
import { alarmsFor, settleSeconds } from "../../core/alarms.ts";
import { workloadFacts } from "../../core/capacity.ts";
import {
  canaryContext,
  type Declaration,
  type DeclaredControl,
  type GuardedWrite,
  type ServiceDescription,
} from "../../core/declaration.ts";
import { alarmName, releaseKey } from "../../core/naming.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { type PlanPresetName, planPresets } from "../../core/plans.ts";
import type { ControlGroup, RolloutRecord, WatchedAlarm } from "../../core/record.ts";
import type { Release } from "../../core/releases.ts";
import type { Survey, SurveyedTargetGroup } from "../../core/survey.ts";
import { weightsFor } from "../../core/traffic-shares.ts";
import { hostTargets } from "../../core/watch-rules.ts";
import { onAlarmEvent } from "../../hooks/alarm-event.ts";
import { acknowledge, kill, pause, resume } from "../../hooks/commands.ts";
import { GuardRefusedError, makeGuard } from "../../hooks/guard.ts";
import { commitOpening, NotCommittedError } from "../../hooks/opening.ts";
import { RevisionConflictError } from "../../hooks/ports.ts";
import { reconcileService } from "../../hooks/reconcile.ts";
import type { EnvironmentConfig, ServiceConfig } from "../../stacks/config.ts";
import { decideEnvironment, surveyEnvironment } from "../../stacks/decide.ts";
import { ownershipProblems } from "../../stacks/ownership.ts";
import { MemoryCloud, type OnCall } from "./memory-ports.ts";

export const mainRule = "arn:rule/main";
export const testerRule = "arn:rule/tester";

export function aRelease(version: string, image = version): Release {
  return { digest: `sha256:${image}`, version, image: `registry.example.com/shop@sha256:${image}` };
}

/** A release that is its adopted target group. */
export function anAdoptedRelease(version: string, arn = "arn:group/blue"): Release {
  return { digest: `${arn}#${version}`, version, targetGroupArn: arn };
}

export const v1 = aRelease("1.0.0");
export const v2 = aRelease("2.0.0");
export const v3 = aRelease("3.0.0");

export function aService(change: Partial<ServiceConfig> = {}, plan: PlanPresetName = "steady"): ServiceConfig {
  return {
    name: "checkout",
    mode: "act",
    routes: [{ match: { hosts: ["shop.example.com"], paths: [] }, priority: 100 }],
    baseline: v1,
    wavePercent: 0,
    attempt: 1,
    plan: planPresets[plan],
    objectives: objectivePresets.batch,
    source: "alb",
    readyTimeoutSeconds: 300,
    blindMinutes: 15,
    rollbackWindowMinutes: 1_440,
    targetGroup: {
      port: 80,
      protocol: "HTTP",
      targetType: "ip",
      healthCheckPath: "/",
      healthCheckIntervalSeconds: 10,
      healthCheckTimeoutSeconds: 5,
      healthyThresholdCount: 2,
      unhealthyThresholdCount: 2,
      slowStartSeconds: 0,
      deregistrationDelaySeconds: 300,
    },
    retire: false,
    ...change,
  };
}

export type UpOutcome =
  | { readonly kind: "applied"; readonly said: readonly string[]; readonly declaration: Declaration }
  | { readonly kind: "refused"; readonly reasons: readonly string[] }
  | { readonly kind: "failed"; readonly message: string };

/** Where an `up` may be cut short: before the main rule is written, before that of the second route, or before `WaveOpening`. */
export type DiesBefore = "rule" | "second rule" | "commit";

/** Main rule of each route of a service. */
export function mainRulesOf({ routes }: Pick<ServiceConfig, "routes">): string[] {
  return routes.map((_route, index) => (index === 0 ? mainRule : `${mainRule}/${index + 1}`));
}

/** A survey in which every group that is asked for is there, with addresses behind it, and every listener empty. */
export function aSurveyOf(query: { listenerArns: readonly string[]; targetGroupArns: readonly string[] }): Survey {
  return {
    loadBalancers: [],
    listeners: [],
    targetGroups: query.targetGroupArns.map(
      (arn): SurveyedTargetGroup => ({
        arn,
        name: arn,
        targetType: "ip",
        loadBalancerArns: [],
        healthChecksEnabled: true,
      }),
    ),
  };
}

export class World {
  readonly cloud: MemoryCloud;
  readonly service: ServiceConfig;
  readonly environment = "dev";
  /** What is found of what the service adopts. */
  survey: typeof aSurveyOf = aSurveyOf;
  /** Regions that share holds; see `sharingHolds`. */
  peers: readonly string[] = [];

  constructor(service: ServiceConfig = aService(), nowMs = Date.UTC(2026, 0, 5, 10), region = "eu-west-1") {
    this.cloud = new MemoryCloud(nowMs, region);
    this.service = service;
  }

  get record(): RolloutRecord {
    const record = this.cloud.read(this.service.name);
    if (!record) throw new Error("no record");
    return record;
  }

  rawRecord(): RolloutRecord | undefined {
    return this.cloud.read(this.service.name);
  }

  /** Percent of live traffic on a release; of the first route, or of another by its rule. */
  live(release: Release, rule = mainRule): number {
    const weights = this.cloud.rules.get(rule)?.weights ?? {};
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    return total === 0 ? 0 : (100 * (weights[groupArn(release)] ?? 0)) / total;
  }

  /** Percent of live traffic on the control that the record has. */
  liveControl(rule = mainRule): number {
    const weights = this.cloud.rules.get(rule)?.weights ?? {};
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    return (100 * (weights[this.record.control?.targetGroupArn ?? ""] ?? 0)) / total;
  }

  /** What the hosts of a group are from now on. */
  hosts(targetGroupArn: string, healthyCount: number): void {
    this.cloud.health.set(targetGroupArn, { healthyCount, totalCount: 4 });
  }

  configOf(change: Partial<ServiceConfig>): EnvironmentConfig {
    return {
      environment: this.environment,
      region: "eu-west-1",
      access: { assumeRoles: [] },
      foundation: "here",
      peers: this.peers,
      network: { vpcId: "vpc-1", subnetIds: [], internal: true, allowedCidrs: [] },
      alerting: { email: [], runbooks: "docs/runbooks" },
      services: [{ ...this.service, ...change }],
    };
  }

  async up(
    change: Partial<ServiceConfig> = {},
    { who = "stack-a", dies, onCall }: { who?: string; dies?: DiesBefore; onCall?: OnCall } = {},
  ): Promise<UpOutcome> {
    const config = this.configOf(change);
    const ports = this.cloud.ports(`up ${who}`, onCall);
    const adopted = await surveyEnvironment(config, { survey: async (query) => this.survey(query) }, ports);
    const [declaration] = await decideEnvironment(config, ports, adopted);
    const [service] = config.services;
    if (!declaration || !service) throw new Error("no declaration");
    // Whoever races here runs the same stack: two stacks of one service are ownership's own tests.
    const stackId = this.cloud.read(this.service.name)?.declaredBy ?? who;
    const own = {
      stackId,
      foundationStack: stackId,
      previousServices: [service.name],
      ownRuleArns: async () => new Set<string>(),
    };
    const reasons = [...declaration.refusals, ...(await ownershipProblems(config, own, ports))];
    if (reasons.length > 0) return { kind: "refused", reasons };
    try {
      await this.apply(service, declaration, who, dies, onCall);
    } catch (error) {
      if (
        error instanceof GuardRefusedError ||
        error instanceof NotCommittedError ||
        error instanceof RevisionConflictError
      ) {
        return { kind: "failed", message: error.message };
      }
      throw error;
    }
    return {
      kind: "applied",
      said: declaration.notices
        .filter(({ kind }) => !["unwatched", "detection", "gate"].includes(kind))
        .map((n) => n.text),
      declaration,
    };
  }

  protected async apply(
    service: ServiceConfig,
    declaration: Declaration,
    who: string,
    dies: DiesBefore | undefined,
    onCall: OnCall | undefined,
  ): Promise<void> {
    const ports = this.cloud.ports(`up ${who}`, onCall);
    const releases = declaration.liveSet.map((release) => ({
      ...release,
      targetGroupArn: groupArn(release),
      targetGroupArnSuffix: groupArn(release),
      adopted: release.targetGroupArn !== undefined,
    }));
    const groups = Object.fromEntries(releases.map((release) => [release.digest, release.targetGroupArn]));
    const control = declaration.control && controlGroup(declaration.control);
    for (const arn of [...Object.values(groups), ...(control ? [control.targetGroupArn] : [])]) {
      if (!this.cloud.health.has(arn)) this.cloud.health.set(arn, { healthyCount: 4, totalCount: 4 });
    }
    const alarms = declaration.liveSet.flatMap((release) => this.alarmsOf(service, declaration, release));
    for (const alarm of alarms) {
      if (!this.cloud.alarms.has(alarm.alarmName)) this.setAlarm(alarm.alarmName, "INSUFFICIENT_DATA");
    }
    const guard = makeGuard(ports, {
      declaration,
      plan: service.plan,
      takenBy: who,
      readyTimeoutSeconds: service.readyTimeoutSeconds,
      hookChanges: () => false,
    });
    const writeRule = async (arn: string, role: "main" | "tester", weights: Record<string, number>) => {
      const live = this.cloud.rules.get(arn);
      const stickinessSeconds =
        role === "main" && declaration.stickinessAllowed ? service.stickinessSeconds : undefined;
      if (
        live &&
        JSON.stringify([sorted(live.weights), live.stickinessSeconds]) ===
          JSON.stringify([sorted(weights), stickinessSeconds])
      )
        return;
      const write: GuardedWrite = {
        operation: live ? "update" : "create",
        role,
        ...(live ? { ruleArn: arn } : {}),
        weights,
        targetGroupArns: groups,
        ...(control ? { control } : {}),
        alarms,
        releases,
      };
      await guard(write);
      if (dies === "rule") throw new GuardRefusedError("died before the rule");
      await onCall?.("rule before");
      this.cloud.writeRule(`up ${who}`, arn, {
        weights,
        ...(stickinessSeconds === undefined ? {} : { stickinessSeconds }),
      });
      await onCall?.("rule after");
    };
    await writeRule(testerRule, "tester", weightsFor({ [declaration.testersReach]: 100 }, groups));
    // As Pulumi does: every rule at once, and one that fails does not stop the others.
    const written = await Promise.allSettled(
      mainRulesOf(service).map(async (arn, index) => {
        if (dies === "second rule" && index > 0) throw new GuardRefusedError(`died before ${arn}`);
        const share = control && { ...control, sharePercent: declaration.control?.sharePercent ?? 0 };
        await writeRule(arn, "main", weightsFor(declaration.shares, groups, share));
      }),
    );
    for (const result of written) if (result.status === "rejected") throw result.reason;
    if (dies === "commit") throw new NotCommittedError("died before the commit");
    await commitOpening(this.cloud.ports("hook", onCall), this.describe(service, declaration, releases, alarms, who));
  }

  private describe(
    service: ServiceConfig,
    declaration: Declaration,
    releases: ServiceDescription["releases"],
    alarms: WatchedAlarm[],
    who: string,
  ): ServiceDescription {
    return JSON.parse(
      JSON.stringify({
        kind: "tidegate:opening",
        schemaVersion: 1,
        environment: this.environment,
        service: service.name,
        mode: service.mode,
        source: service.source,
        plan: service.plan,
        rules: [...mainRulesOf(service).map((arn) => ({ arn, role: "main" })), { arn: testerRule, role: "tester" }],
        alarms,
        loadBalancerArnSuffix: "app/lb/1",
        stickinessSeconds: service.stickinessSeconds,
        blindMinutes: service.blindMinutes,
        peers: this.peers.length === 0 ? undefined : this.peers,
        workload: service.workload && workloadFacts(service.workload),
        capacity: declaration.capacity,
        rollbackWindowMinutes: service.rollbackWindowMinutes,
        releases,
        baseline: declaration.baseline,
        canary: declaration.canary,
        control: declaration.control && {
          ...controlGroup(declaration.control),
          sharePercent: declaration.control.sharePercent,
        },
        exposurePercent: declaration.exposurePercent,
        figures: declaration.figures,
        finish: declaration.finish,
        intent: declaration.intent,
        realityGeneration: declaration.realityGeneration,
        takenBy: who,
        // Whoever races here runs the same stack under another name.
        takenOverFrom: this.rawRecord()?.declaredBy,
        retire: declaration.retire,
        overrideReason: declaration.overrideReason,
        replaceBaselineReason: declaration.replaceBaselineReason,
      }),
    ) as ServiceDescription;
  }

  private alarmsOf(service: ServiceConfig, declaration: Declaration, release: Release): WatchedAlarm[] {
    const canary = canaryContext(declaration, service.plan, release.digest);
    return alarmsFor(service.objectives, service.source, hostTargets, canary).map((spec) => {
      const objective = service.objectives.find((candidate) => candidate.name === spec.objective);
      return {
        alarmName: alarmName(this.environment, service.name, releaseKey(release), spec.key),
        digest: release.digest,
        objective: spec.objective,
        indicator: spec.indicator,
        severity: spec.severity,
        response: spec.response,
        mode: objective?.mode ?? service.mode,
        disableAnyway: objective?.disableAnyway ?? false,
        settleSeconds: settleSeconds(spec, service.source),
        ...(spec.rule.atPercents ? { atPercents: spec.rule.atPercents } : {}),
      };
    });
  }

  setAlarm(name: string, state: "OK" | "ALARM" | "INSUFFICIENT_DATA"): void {
    this.cloud.alarms.set(name, { alarmName: name, state, updatedAt: this.cloud.nowMs, actionsEnabled: true });
  }

  /** Sets every alarm of one objective and severity of a release. */
  alarm(release: Release, key: string, state: "OK" | "ALARM"): void {
    const prefix = alarmName(this.environment, this.service.name, releaseKey(release), key);
    for (const name of this.cloud.alarms.keys()) if (name.startsWith(prefix)) this.setAlarm(name, state);
  }

  async reconcile(): Promise<void> {
    await reconcileService(this.cloud.ports("hook"), this.service.name);
  }

  async reconcileWith(onCall: OnCall): Promise<void> {
    await reconcileService(this.cloud.ports("hook", onCall), this.service.name);
  }

  /** An alarm event as it may arrive: of any alarm there ever was, whatever its state is by now. */
  async eventWith(onCall: OnCall): Promise<void> {
    const names = [...this.cloud.alarms.keys()];
    await onAlarmEvent(this.cloud.ports("hook", onCall), names[this.cloud.nowMs % names.length] ?? "");
  }

  async command(name: "acknowledge" | "pause" | "resume" | "kill", onCall: OnCall): Promise<string> {
    const said = { by: "an SRE", reason: "walked in" };
    const ports = this.cloud.ports("hook", onCall);
    const all = { acknowledge, pause, resume, kill };
    return all[name](ports, this.service.name, said);
  }

  /** Time passes with the hook alive. */
  async wait(minutes: number): Promise<void> {
    this.cloud.nowMs += Math.max(0, minutes - 1) * 60_000;
    await this.reconcile();
    this.cloud.nowMs += Math.min(1, minutes) * 60_000;
    await this.reconcile();
  }

  async acknowledge(reason = "looked into it"): Promise<string> {
    return acknowledge(this.cloud.ports("person"), this.service.name, { by: "an SRE", reason });
  }

  async kill(): Promise<string> {
    return kill(this.cloud.ports("person"), this.service.name, { by: "an SRE", reason: "customers call" });
  }

  async pause(): Promise<string> {
    return pause(this.cloud.ports("person"), this.service.name, {
      by: "an SRE",
      reason: "incident elsewhere",
    });
  }

  async resume(): Promise<string> {
    return resume(this.cloud.ports("person"), this.service.name, { by: "an SRE", reason: "over" });
  }

  /** First `up`, then the canary through the waves of the plan up to an exposure, each soak served. */
  async rolledOutTo(exposurePercent: number, canary: Release = v2): Promise<this> {
    await this.must(this.up({ canary }));
    await this.reconcile();
    for (const wave of this.service.plan.waves) {
      if (wave.exposurePercent > exposurePercent) break;
      await this.must(this.up({ canary, wavePercent: wave.exposurePercent }));
      await this.wait(wave.exposurePercent === exposurePercent ? 30 : (wave.minimumSoakMinutes ?? 0) + arrivalMinutes);
    }
    return this;
  }

  async must(up: Promise<UpOutcome>): Promise<readonly string[]> {
    const outcome = await up;
    if (outcome.kind !== "applied") throw new Error(JSON.stringify(outcome, null, 2));
    return outcome.said;
  }
}

/** Until a soak that is served has been measured, too: metrics of a load balancer arrive two minutes late. */
const arrivalMinutes = 5;

/** Worlds as regions of one environment, each the others' peer. */
export function sharingHolds(...worlds: readonly World[]): void {
  for (const world of worlds) {
    const others = worlds.filter((other) => other !== world);
    world.peers = others.map((other) => other.cloud.region);
    for (const other of others) world.cloud.peers.set(other.cloud.region, other.cloud);
  }
}

function sorted(weights: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(weights).sort(([left], [right]) => (left < right ? -1 : 1));
}

export function controlGroup({ digest, releaseKey: key, targetGroupArn }: DeclaredControl): ControlGroup {
  const arn = targetGroupArn ?? `arn:group/${key}`;
  return {
    targetGroupArn: arn,
    targetGroupArnSuffix: arn,
    releaseKey: key,
    digest,
    adopted: targetGroupArn !== undefined,
  };
}

export function groupArn(release: Release): string {
  return release.targetGroupArn ?? `arn:group/${releaseKey(release)}`;
}
