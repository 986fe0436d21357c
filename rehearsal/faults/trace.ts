/**
 * What was asked of the outside and what took effect there, in order: every port call of every run, and every resource that Pulumi
 * writes. As plain data, so that whoever judges it needs no code of the product.
 */
import type { Ports } from "../../hooks/ports.ts";
import type { Run } from "../cloud/functions.ts";
import type { ProviderCall } from "../cloud/provider-calls.ts";
import { type Around, aroundPorts, type PortCall } from "./around-ports.ts";

interface Common {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The run that it belongs to; 0: none. */
  readonly run: number;
  readonly actor: string;
}

/** A forward action as it was written. */
export interface TracedAction {
  readonly weights: Readonly<Record<string, number>>;
  readonly stickinessSeconds?: number;
}

export type TraceEntry =
  | (Common & {
      readonly kind: "asked" | "answered" | "failed";
      readonly call: PortCall;
      readonly args: readonly unknown[];
    })
  /** The outside did what a port asked for. */
  | (Common & { readonly kind: "effect"; readonly call: PortCall; readonly args: readonly unknown[] })
  /** Pulumi wrote a listener rule. */
  | (Common & {
      readonly kind: "rule";
      readonly op: "create" | "update" | "delete";
      readonly ruleArn: string;
      readonly role: string;
      readonly action: TracedAction;
    })
  | (Common & { readonly kind: "group-deleted" | "group-scaled-in"; readonly groupArn: string })
  /** The process is gone: what it still owed, it owes no more. */
  | (Common & { readonly kind: "died" })
  | (Common & { readonly kind: "up-ended"; readonly result: string });

export class Trace {
  readonly entries: TraceEntry[] = [];
  readonly #now: () => number;
  /** The run of the `up` that is under way; 0: none. */
  upRun = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(entry: DistributiveOmit<TraceEntry, "at">): void {
    this.entries.push({ ...entry, at: this.#now() });
  }

  /** What the product asks, and what it is told. */
  asked(ports: Ports, run: Run): Ports {
    if (run.actor === "up") this.upRun = run.id;
    const around: Around = async (call, args, carryOut) => {
      const common = { run: run.id, actor: run.actor, call, args };
      this.add({ kind: "asked", ...common });
      try {
        const answer = await carryOut();
        this.add({ kind: "answered", ...common });
        return answer;
      } catch (error) {
        this.add({ kind: "failed", ...common });
        throw error;
      }
    };
    return aroundPorts(ports, around);
  }

  /** What really happens: below whatever spoils calls. */
  effects(ports: Ports, run: Run): Ports {
    const around: Around = async (call, args, carryOut) => {
      const answer = await carryOut();
      this.add({ kind: "effect", run: run.id, actor: run.actor, call, args });
      return answer;
    };
    return aroundPorts(ports, around);
  }

  /** A resource that Pulumi wrote, once it is written. */
  wrote({ op, resource }: ProviderCall): void {
    const common = { run: this.upRun, actor: "up" };
    if (resource.type === "aws:lb/targetGroup:TargetGroup" && op === "delete") {
      this.add({ kind: "group-deleted", ...common, groupArn: resource.id });
    }
    if (resource.type !== "aws:lb/listenerRule:ListenerRule") return;
    const inputs: unknown = resource.inputs;
    this.add({
      kind: "rule",
      ...common,
      op,
      ruleArn: resource.id,
      role: String(field(field(inputs, "tags"), "tidegate:role") ?? ""),
      action: op === "delete" ? { weights: {} } : actionOf(inputs),
    });
  }
}

type DistributiveOmit<Type, Key extends PropertyKey> = Type extends unknown ? Omit<Type, Key> : never;

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** The forward action in a listener rule's inputs, as the AWS provider takes it. */
function actionOf(inputs: unknown): TracedAction {
  const actions = field(inputs, "actions");
  const first: unknown = Array.isArray(actions) ? actions[0] : undefined;
  const single = field(first, "targetGroupArn");
  if (typeof single === "string") return { weights: { [single]: 1 } };
  const forward = field(first, "forward");
  const groups = field(forward, "targetGroups");
  const weights: Record<string, number> = {};
  for (const group of Array.isArray(groups) ? groups : [])
    weights[String(field(group, "arn"))] = Number(field(group, "weight") ?? 1);
  const stickiness = field(forward, "stickiness");
  return field(stickiness, "enabled") === true
    ? { weights, stickinessSeconds: Number(field(stickiness, "duration")) }
    : { weights };
}
