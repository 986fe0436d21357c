/** Steps that no port takes: Pulumi's write of the rule, its invocation of the opening, and the alarm's event on its way. */
import type { Delivery } from "../cloud/event-bus.ts";
import type { ProviderCall } from "../cloud/provider-calls.ts";
import { InjectedError } from "./inject.ts";
import { type FaultKind, faultFigures } from "./kinds.ts";
import type { OutsideStep } from "./steps.ts";

export interface Disturbance {
  readonly step: OutsideStep;
  readonly kind: FaultKind;
  readonly variant: string | undefined;
  readonly counter: { met: number };
  /** Makes the `up` wait. */
  readonly delay: (seconds: number) => Promise<void>;
  /** Comes back later, while nobody waits. */
  readonly later: (seconds: number) => Promise<void>;
  /** The process of the `up` is gone. */
  readonly die: () => void;
  /** The opening never ran, and nobody knows. */
  readonly onLost: () => void;
}

/** The AWS provider tries throttled calls again by itself, a little later each time. Unit: seconds. */
const providerRetrySeconds = 7;

function isMeant({ op, resource }: ProviderCall, step: OutsideStep): boolean {
  const inputs = JSON.stringify(resource.inputs);
  if (step === "modify-rule")
    return (
      resource.type === "aws:lb/listenerRule:ListenerRule" &&
      op === "update" &&
      inputs.includes('"tidegate:role":"main"')
    );
  return (
    step === "invoke-opening" &&
    resource.type === "aws:lambda/invocation:Invocation" &&
    inputs.includes("tidegate:opening")
  );
}

/** Carries a call of Pulumi's out, or does not. */
export async function disturbProvider(
  call: ProviderCall,
  carryOut: () => Promise<void>,
  { step, kind, variant, counter, delay, later, die, onLost }: Disturbance,
): Promise<void> {
  if (!isMeant(call, step) || (counter.met > 0 && kind !== "access denied" && kind !== "5xx")) return carryOut();
  counter.met += 1;
  const fail = (name: string): never => {
    throw new InjectedError(name, step);
  };
  switch (kind) {
    case "throttle":
      await delay(providerRetrySeconds);
      return carryOut();
    case "timeout":
      await carryOut();
      await delay(faultFigures.timeoutSeconds);
      return fail("TimeoutError");
    case "5xx":
      return fail("InternalServerError");
    case "access denied":
      return fail("AccessDeniedException");
    case "wrong answer":
      onLost();
      return;
    case "duplicate":
      await carryOut();
      return carryOut();
    case "out of order":
      void later(faultFigures.lateSeconds)
        .then(carryOut)
        .catch(() => {});
      return fail("TimeoutError");
    case "killed":
      if (variant === "after") await carryOut();
      die();
      return fail("ProcessKilled");
    case "clock skew":
      return carryOut();
    case "slow":
      await delay(faultFigures.slowSeconds);
      return carryOut();
  }
}

/** What becomes of an event on its way to the hook. */
export function disturbDelivery(
  delivery: Delivery,
  kind: FaultKind,
  now: number,
  counter: { met: number },
): readonly Delivery[] {
  const later = (seconds: number): Delivery => ({ ...delivery, dueAt: now + seconds * 1_000 });
  // What was put off comes by here again.
  if (delivery.dueAt < now - 1 || counter.met >= 40) return [delivery];
  counter.met += 1;
  switch (kind) {
    case "throttle":
      return counter.met <= faultFigures.throttledCalls ? [later(20)] : [delivery];
    case "timeout":
      return counter.met <= faultFigures.timedOutCalls ? [delivery, later(60)] : [delivery];
    case "5xx":
      return counter.met <= 6 ? [later(60)] : [delivery];
    case "access denied":
    case "killed":
      return [];
    case "wrong answer":
      return [{ ...delivery, event: otherAlarm(delivery.event) }];
    case "duplicate":
      return counter.met === 1 ? [delivery, later(faultFigures.staleSeconds)] : [delivery];
    case "out of order":
      return counter.met <= 4 ? [later(faultFigures.outageSeconds)] : [delivery];
    case "clock skew":
      return [delivery];
    case "slow":
      return counter.met <= faultFigures.slowCalls ? [later(faultFigures.slowSeconds)] : [delivery];
  }
}

/** The same event of an alarm that is not the one that speaks. */
function otherAlarm(event: unknown): unknown {
  return JSON.parse(JSON.stringify(event).replace(/error-rate\/critical/g, "healthy-hosts/critical"));
}
