/**
 * Whether the hook may still lower every rule that a record has once this `up` of the foundation is through. Its right goes by listener; a
 * listener that leaves the foundation's config takes it away from services of other stacks that nobody here sees.
 */
import pLimit from "p-limit";
import { loadBalancerName } from "../core/naming.ts";
import type { RolloutRecord } from "../core/record.ts";
import type { Ports } from "../hooks/ports.ts";
import type { EnvironmentConfig } from "./config.ts";
import { furtherListeners } from "./declare-foundation.ts";

/** `…:listener-rule/app/<name>/<id>/<listener>/<rule>`, of which everything but the last part names the listener. */
const ruleArn = /^(.+):listener-rule\/(app\/([^/]+)\/[^/]+\/[^/]+)\/[^/]+$/;

/** Record reads side by side. */
const sideBySide = 25;

/**
 * Every listener that live records need and the foundation would not grant. A record that cannot be read is told by its own service's stack.
 */
export async function grantProblems(config: EnvironmentConfig, ports: Pick<Ports, "records">): Promise<string[]> {
  const granted = new Set(furtherListeners(config));
  const { listenerArn } = config.network;
  if (listenerArn !== undefined) granted.add(listenerArn);
  const needed = new Map<string, Set<string>>();
  for (const record of await liveRecords(config, ports)) {
    for (const { arn } of record.rules) {
      const listener = listenerOf(arn);
      if (listener === undefined || granted.has(listener.arn)) continue;
      // The foundation's own listener has no ARN in the config: its load balancer is known by name.
      if (listenerArn === undefined && listener.balancerName === loadBalancerName(config.environment)) continue;
      needed.set(listener.arn, (needed.get(listener.arn) ?? new Set()).add(record.service));
    }
  }
  return [...needed].map(
    ([arn, services]) =>
      `network.moreListenerArns: rules of ${[...services].sort().join(", ")} hang on listener ${arn}, which neither a service here nor this list names any more: ` +
      "the hook could not lower them; expected the listener granted while they are live. Put it in the list; it may go once they are retired or elsewhere",
  );
}

function listenerOf(rule: string): { readonly arn: string; readonly balancerName: string } | undefined {
  const [, start, path, balancerName] = ruleArn.exec(rule) ?? [];
  if (start === undefined || path === undefined || balancerName === undefined) return undefined;
  return { arn: `${start}:listener/${path}`, balancerName };
}

async function liveRecords(
  { environment }: EnvironmentConfig,
  { records }: Pick<Ports, "records">,
): Promise<RolloutRecord[]> {
  let names: readonly string[];
  try {
    names = await records.list();
  } catch {
    return [];
  }
  const limit = pLimit(sideBySide);
  const found = await Promise.all(names.map((name) => limit(() => records.read(name).catch(() => undefined))));
  return found.flatMap((record) =>
    record?.environment === environment && record.retiredAt === undefined ? [record] : [],
  );
}
