/** Valid objects to change one thing of: releases, settings, declarations. */
import type { GuardBinding, HookCallback, ServiceSettings } from "../../components/index.ts";
import type { Declaration, GuardedWrite } from "../../core/declaration.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
import type { Release } from "../../core/releases.ts";

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;

export function aRelease(version: string, letter: string): Release {
  return { version, digest: digestOf(letter), image: `registry.example.com/shop@${digestOf(letter)}` };
}

export const oldRelease = aRelease("2.3.1", "a");
export const newRelease = aRelease("2.4.0", "b");

export function someSettings(changes: Partial<ServiceSettings> = {}): ServiceSettings {
  return {
    name: "checkout",
    mode: "act",
    routes: [{ match: { hosts: ["shop.example.com"], paths: ["/checkout/*"] }, priority: 100 }],
    testers: { header: { name: "x-tester", value: "yes" } },
    plan: planPresets.steady,
    objectives: objectivePresets.batch,
    source: "alb",
    readyTimeoutSeconds: 300,
    blindMinutes: 15,
    rollbackWindowMinutes: 1_440,
    targetGroup: {
      port: 8080,
      protocol: "HTTP",
      targetType: "ip",
      healthCheckPath: "/health",
      healthCheckIntervalSeconds: 10,
      healthCheckTimeoutSeconds: 5,
      healthyThresholdCount: 2,
      unhealthyThresholdCount: 2,
      slowStartSeconds: 30,
      deregistrationDelaySeconds: 60,
    },
    ...changes,
  };
}

/** Baseline and canary at an exposure. */
export function aDeclaration(exposurePercent: number, changes: Partial<Declaration> = {}): Declaration {
  const shares: Record<string, number> = {};
  if (exposurePercent < 100) shares[oldRelease.digest] = 100 - exposurePercent;
  if (exposurePercent > 0) shares[newRelease.digest] = exposurePercent;
  return {
    service: "checkout",
    step: "opening",
    liveSet: [oldRelease, newRelease],
    baseline: oldRelease.digest,
    canary: { digest: newRelease.digest, attempt: 1 },
    shares,
    exposurePercent,
    fromPercent: 0,
    stickinessAllowed: exposurePercent > 0 && exposurePercent < 100,
    testersReach: newRelease.digest,
    intent: { digest: newRelease.digest, attempt: 1, wave: exposurePercent },
    realityGeneration: 0,
    retire: false,
    notices: [],
    refusals: [],
    ...changes,
  };
}

/** Guards that only remember: callbacks by hook name, and every write that was checked. */
export function rememberingGuards(check: (write: GuardedWrite) => void = () => {}) {
  const callbacks = new Map<string, HookCallback>();
  const writes: GuardedWrite[] = [];
  const hookChanges: (() => boolean)[] = [];
  const binding: GuardBinding = {
    guardFor(context) {
      hookChanges.push(context.hookChanges);
      return async (write) => {
        check(write);
        writes.push(write);
      };
    },
    bind(hookName, callback) {
      if (callbacks.has(hookName)) throw new Error(`two hooks of one name: ${hookName}`);
      callbacks.set(hookName, callback);
      return undefined;
    },
  };
  return { binding, callbacks, writes, hookChanges };
}
