/** An `up` on the local cloud: the program's own phases, the mini engine between them, the real guard before its writes. */
import * as pulumi from "@pulumi/pulumi";
import { guardedWriteFrom } from "../../components/write-guard.ts";
import type { Declaration, Notice } from "../../core/declaration.ts";
import { releaseKey } from "../../core/naming.ts";
import { readEvent } from "../../hooks/events.ts";
import { type Guard, makeGuard } from "../../hooks/guard.ts";
import type { Ports } from "../../hooks/ports.ts";
import type { EnvironmentConfig } from "../../stacks/config.ts";
import { decideEnvironment, surveyEnvironment } from "../../stacks/decide.ts";
import { type OwnStack, ownershipProblems } from "../../stacks/ownership.ts";
import type { CloudWatch } from "../cloudwatch/cloudwatch.ts";
import type { Capture, CapturedResource } from "../engine/capture.ts";
import { Engine, type HookedWrite, type Provider } from "../engine/engine.ts";
import { captureEnvironment, rehearsalStackId } from "../engine/environment-capture.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import type { CapturedHook } from "../engine/hook-recorder.ts";
import type { LoadBalancers } from "./load-balancer.ts";
import type { Serving } from "./serving.ts";
import { type ForeignRules, localSurveyor } from "./surveyor.ts";
import type { LocalCloudOptions, UpResult } from "./types.ts";

export interface DeploymentsOptions extends Pick<LocalCloudOptions, "startAt" | "hostsPerGroup" | "withoutAlarms"> {
  readonly ports: Ports;
  readonly provider: Provider;
  readonly balancers: LoadBalancers;
  readonly cloudWatch: CloudWatch;
  readonly serving: Serving;
  readonly alterCapture: (capture: Capture) => Capture;
  /** @default none but those that a config adopts */
  readonly foreignRules?: ForeignRules;
}

/** The rehearsal has one stack, with foundation and services: no other could have declared what the config names. */
function onlyStack({ environment, services }: EnvironmentConfig): OwnStack {
  const stackId = rehearsalStackId(environment);
  const previousServices = services.map(({ name }) => name);
  return { stackId, foundationStack: stackId, previousServices, ownRuleArns: async () => new Set() };
}

/** What one `up` remembers: its guards look at all rules of a service. */
interface UpRun {
  hookChanges: boolean;
  /** By service. */
  readonly guards: Map<string, Guard>;
}

/** One stack's `up`s, one after another. */
export class Deployments {
  readonly #options: DeploymentsOptions;
  readonly #engine = new Engine();

  constructor(options: DeploymentsOptions) {
    this.#options = options;
  }

  /** @throws NotRehearsedError naming what the program uses and the rehearsal does not model */
  async up(config: EnvironmentConfig): Promise<UpResult> {
    const { ports, balancers, foreignRules } = this.#options;
    const adopted = await surveyEnvironment(config, localSurveyor(balancers, config, foreignRules), ports);
    const declarations = await decideEnvironment(config, ports, adopted);
    const notices: Notice[] = declarations.flatMap((declaration) => declaration.notices);
    const refusals = [
      ...declarations.flatMap((declaration) => declaration.refusals),
      ...(await ownershipProblems(config, onlyStack(config), this.#options.ports)),
    ];
    if (refusals.length > 0) return { kind: "refused", notices, reasons: refusals, changes: [] };

    let captured: Capture;
    try {
      captured = await captureEnvironment(config, declarations, { found: adopted.found });
    } catch (error) {
      // The program's own words to the person; anything else is a fault of the rehearsal and must not look like one of the config.
      if (pulumi.RunError.isInstance(error) || error instanceof pulumi.ResourceError) {
        return { kind: "failed", notices, reasons: error.message.split("\n"), changes: [] };
      }
      throw error;
    }
    const capture = this.#options.alterCapture(captured);
    this.#prepare(config, capture);
    const byService = new Map(declarations.map((declaration) => [declaration.service, declaration]));
    const run: UpRun = { hookChanges: false, guards: new Map() };
    const applied = await this.#engine.up(capture, this.#options.provider, (hook, write) =>
      this.#runHook(hook, write, byService, run),
    );
    this.#takeAlarmsAway(capture);
    const kind = applied.reasons.length === 0 ? "applied" : "failed";
    return { kind, notices, reasons: applied.reasons, changes: applied.changes };
  }

  /** What exists without the program having made it, and which release each group serves. */
  #prepare(config: EnvironmentConfig, capture: Capture): void {
    for (const arn of capture.adopted) {
      if (arn.includes(":targetgroup/")) {
        // Adopted hosts run already.
        if (!this.#options.balancers.hasTargetGroup(arn)) {
          this.#options.balancers.addTargetGroup(arn, this.#options.hostsPerGroup, this.#options.startAt);
        }
      } else if (!this.#options.balancers.hasListener(arn)) {
        this.#options.balancers.addListener(
          arn,
          arn.replace(":listener/", ":loadbalancer/").split("/").slice(0, 4).join("/"),
        );
      }
    }
    for (const service of config.services) this.#options.serving.describe(service.name, service);
    for (const resource of capture.resources) {
      for (const release of describedReleases(resource)) {
        this.#options.serving.serve(release.targetGroupArn, {
          digest: release.digest,
          releaseKey: releaseKey(release),
        });
      }
      for (const { targetGroupArn, digest, releaseKey: key } of describedControls(resource)) {
        this.#options.serving.serve(targetGroupArn, { digest, releaseKey: key, isControl: true });
      }
    }
  }

  async #runHook(
    hook: CapturedHook,
    { resource, before }: HookedWrite,
    declarations: ReadonlyMap<string, Declaration>,
    run: UpRun,
  ): Promise<void> {
    if (hook.kind === "hook-change-watch") {
      run.hookChanges = true;
      return;
    }
    const declaration = declarations.get(hook.service);
    if (!declaration) throw new NotRehearsedError(`hook "${hook.hookName}": no declaration of ${hook.service}`);
    const { plan, takenBy, readyTimeoutSeconds } = hook;
    const guard =
      run.guards.get(hook.service) ??
      makeGuard(this.#options.ports, {
        declaration,
        plan,
        takenBy,
        readyTimeoutSeconds,
        hookChanges: () => run.hookChanges,
      });
    run.guards.set(hook.service, guard);
    const write = {
      id: before ? resource.id : "",
      newInputs: { ...resource.inputs },
      ...(before ? { oldInputs: { ...before }, oldOutputs: { ...before, ...resource.outputs } } : {}),
    };
    await guard(guardedWriteFrom(write, hook.rule));
  }

  /** With an alarm go the composites that hang on it: CloudWatch keeps no composite without its children. */
  #takeAlarmsAway(capture: Capture): void {
    const { withoutAlarms } = this.#options;
    if (!withoutAlarms) return;
    const taken = this.#options.cloudWatch.alarmNames().filter(withoutAlarms);
    const composites = capture.resources.flatMap(({ inputs: { alarmName, alarmRule } }) =>
      typeof alarmName === "string" && taken.some((name) => String(alarmRule).includes(`"${name}"`)) ? [alarmName] : [],
    );
    const existing = new Set(this.#options.cloudWatch.alarmNames());
    for (const name of new Set([...composites, ...taken]))
      if (existing.has(name)) this.#options.cloudWatch.deleteAlarm(name);
  }
}

/** The releases that an opening describes, with their groups. */
function describedReleases(resource: CapturedResource) {
  return descriptions(resource).flatMap(({ releases }) => releases);
}

/** Its control; none where it has none. */
function describedControls(resource: CapturedResource) {
  return descriptions(resource).flatMap(({ control }) => control ?? []);
}

function descriptions(resource: CapturedResource) {
  if (resource.type !== "aws:lambda/invocation:Invocation") return [];
  const event = readEvent(JSON.parse(String(resource.inputs.input)));
  return event.kind === "opening" ? [event.description] : [];
}
