/** Which services are this stack's to declare: none that the record knows may get lost, and none is declared twice. */
import type { Ports } from "../hooks/ports.ts";
import type { EnvironmentConfig } from "./config.ts";

/** (n): removed or renamed in the config while the record says it is live. */
export async function lostServices(config: EnvironmentConfig, ports: Pick<Ports, "records">): Promise<string[]> {
  const named = new Set(config.services.map((service) => service.name));
  let recorded: string[];
  try {
    recorded = await ports.records.list();
  } catch {
    // Unreadable records are told by each service's own reading; nothing can be lost that cannot be listed.
    return [];
  }
  const lost: string[] = [];
  for (const name of recorded.filter((service) => !named.has(service))) {
    const record = await ports.records.read(name);
    if (record && record.environment === config.environment && record.retiredAt === undefined) {
      lost.push(
        `services.${name}: is live but no longer in the config (removed or renamed?); put it back with retire: true, run up, then remove it`,
      );
    }
  }
  return lost;
}
