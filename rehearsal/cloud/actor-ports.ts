/** Ports as the processes of a rehearsal have them: who calls decides whose page it is, whose write, and whether anyone hears of metrics. */
import type { PagePlace } from "../../core/page-message.ts";
import { defaultRunbookBase } from "../../core/runbooks.ts";
import type { Ports, Telemetry } from "../../hooks/ports.ts";
import { silentTelemetry } from "../../hooks/telemetry.ts";
import type { RandomStream } from "../traffic/random.ts";
import type { LoadBalancers } from "./load-balancer.ts";
import type { MetricsFeed } from "./metrics-feed.ts";
import { type PortParts, portsOver } from "./ports.ts";
import type { Actor, CloudEvent } from "./types.ts";

export interface ActorPortsParts
  extends Pick<
    PortParts,
    "table" | "balancers" | "flags" | "cloudWatch" | "now" | "sleep" | "onStateChange" | "peers"
  > {
  readonly feed: MetricsFeed;
  readonly ids: RandomStream;
  readonly emit: (event: CloudEvent) => void;
  readonly place: { readonly environment: string; readonly region: string };
}

export function portsOfActor(parts: ActorPortsParts, actor: Actor): Ports {
  const { ids, emit, now, balancers } = parts;
  const hex = () => ids.nextUint32().toString(16).padStart(8, "0");
  const place: PagePlace = { ...parts.place, runbookBase: defaultRunbookBase };
  const ports = portsOver({
    ...parts,
    send: (page) => emit({ kind: "page", at: now(), page, by: actor }),
    newId: () => `${hex()}${hex()}`,
    place,
    telemetry: actor === "hook" || actor === "watchman" ? telemetryOf(parts) : silentTelemetry,
  });
  return actor === "person" ? { ...ports, traffic: trafficOfPerson(ports, balancers) } : ports;
}

/** Metrics alone: nobody reads the logs of a rehearsal. */
function telemetryOf({ feed, place, now }: ActorPortsParts): Telemetry {
  const dimensions = { Environment: place.environment };
  return {
    ...silentTelemetry,
    metric: (name, value, service) => {
      feed.reportOfHook(name, value, dimensions, now());
      if (service !== undefined) feed.reportOfHook(name, value, { ...dimensions, Service: service }, now());
    },
  };
}

/** What a person writes counts as theirs. */
function trafficOfPerson({ traffic }: Ports, balancers: LoadBalancers): Ports["traffic"] {
  return { ...traffic, writeRule: async (ruleArn, action) => balancers.modifyRule(ruleArn, { action }, "person") };
}

/** Ports of whoever it is just then. */
export function portsOfCurrent(current: () => Ports): Ports {
  return {
    get records() {
      return current().records;
    },
    get traffic() {
      return current().traffic;
    },
    get alarms() {
      return current().alarms;
    },
    get metrics() {
      return current().metrics;
    },
    get elsewhere() {
      return current().elsewhere;
    },
    get flags() {
      return current().flags;
    },
    get peers() {
      return current().peers;
    },
    get pager() {
      return current().pager;
    },
    get telemetry() {
      return current().telemetry;
    },
    get place() {
      return current().place;
    },
    get clock() {
      return current().clock;
    },
    newId: () => current().newId(),
  };
}
