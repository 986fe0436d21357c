/** Where tests and the fault matrix reach into a local cloud, beside what a rehearsal uses of it. */
import type { Ports } from "../../hooks/ports.ts";
import type { Capture } from "../engine/capture.ts";
import type { Delivery } from "./event-bus.ts";
import type { Run } from "./functions.ts";
import type { ProviderCall } from "./provider-calls.ts";
import type { ForeignRules } from "./surveyor.ts";
import type { Actor, LocalCloud } from "./types.ts";

/** Where tests and the fault matrix reach into a cloud beside its options. */
export interface LocalCloudSeams {
  /** Changes what the program registered, before it is applied: takes a resource away. */
  readonly alterCapture?: (capture: Capture) => Capture;
  /** Rules of others on adopted listeners. @default none but those that a config adopts */
  readonly foreignRules?: ForeignRules;
  /** The ports as one run has them: to trace its calls, or to spoil them. */
  readonly portsOf?: (ports: Ports, run: Run) => Ports;
  /** Around everything that an `up` asks of the provider; must carry it out itself. */
  readonly onProviderCall?: (call: ProviderCall, carryOut: () => Promise<void>) => Promise<void>;
  /** What becomes of an alarm's event on its way to a function; the schedules are not asked about. @default it arrives */
  readonly onDelivery?: (delivery: Delivery) => readonly Delivery[];
}

/** A local cloud with what only tests and the fault matrix use. */
export interface ReachableCloud extends LocalCloud {
  /** Ports of a new run of a process outside the cloud. */
  portsAs(actor: Actor, cause: string): Ports;
  /** Lets time pass in the middle of a call: for everybody else while the hook runs, for all while nothing does. */
  delay(milliseconds: number): Promise<void>;
  /** Comes back once so much time has passed, without making it pass. */
  later(milliseconds: number): Promise<void>;
}
