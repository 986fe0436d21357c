/** How each declared type is made on the emulators. What is not here is refused by name. */
import { balancingAppliers } from "./appliers-balancing.ts";
import { functionAppliers } from "./appliers-functions.ts";
import { messagingAppliers } from "./appliers-messaging.ts";
import { watchingAppliers } from "./appliers-watching.ts";
import type { Applier, Emulators } from "./emulator-provider.ts";

export function appliersOf(emulators: Emulators): Readonly<Record<string, Applier>> {
  return {
    ...balancingAppliers(emulators),
    ...functionAppliers(emulators),
    ...messagingAppliers(emulators),
    ...watchingAppliers(emulators),
  };
}
