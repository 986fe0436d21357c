/**
 * Which other services of a dependency group have a canary with traffic: services that fail together cannot say whose canary it was. Known
 * from the config of this stack and from the records of all; what cannot be read counts as exposed.
 */
import type { Declaration } from "../core/declaration.ts";
import { committedPercent, type RolloutRecord } from "../core/record.ts";
import type { Ports } from "../hooks/ports.ts";
import type { EnvironmentConfig } from "./config.ts";

/** Fills `otherCanaries` of every service that names a group. Reads nothing where none does. */
export async function withOtherCanaries(
  config: EnvironmentConfig,
  declarations: readonly Declaration[],
  ports: Pick<Ports, "records" | "clock">,
): Promise<Declaration[]> {
  const groups = new Map(config.services.map((service) => [service.name, service.dependencyGroup]));
  if (config.services.every((service) => service.dependencyGroup === undefined)) return [...declarations];
  const elsewhere = await recordsElsewhere(config, ports);
  const now = ports.clock.now();
  const exposedHere = await exposedInConfig(declarations, ports, now);

  return declarations.map((declaration) => {
    const group = groups.get(declaration.service);
    if (group === undefined) return declaration;
    const here = exposedHere.filter((service) => service !== declaration.service && groups.get(service) === group);
    const there = elsewhere.flatMap(({ name, record }) => {
      if (record === "unreadable") return [`${name} (unknown: its record cannot be read)`];
      return record.dependencyGroup === group && isExposed(record, now) ? [name] : [];
    });
    return { ...declaration, otherCanaries: [...here, ...there].sort() };
  });
}

interface Elsewhere {
  readonly name: string;
  readonly record: RolloutRecord | "unreadable";
}

/** Records of services that other stacks declare. */
async function recordsElsewhere(
  config: EnvironmentConfig,
  { records }: Pick<Ports, "records">,
): Promise<readonly Elsewhere[]> {
  const own = new Set(config.services.map((service) => service.name));
  let names: string[];
  try {
    names = await records.list();
  } catch {
    return [{ name: "other services", record: "unreadable" }];
  }
  const found = await Promise.all(
    names.filter((name) => !own.has(name)).map(async (name) => ({ name, record: await readOr(name, records) })),
  );
  return found.flatMap(({ name, record }) =>
    record === undefined || (record !== "unreadable" && record.environment !== config.environment)
      ? []
      : [{ name, record }],
  );
}

async function readOr(name: string, records: Ports["records"]): Promise<RolloutRecord | "unreadable" | undefined> {
  try {
    return await records.read(name);
  } catch {
    return "unreadable";
  }
}

/** Services of this config that have or get canary traffic, by declaration and record. */
async function exposedInConfig(
  declarations: readonly Declaration[],
  { records }: Pick<Ports, "records">,
  now: number,
): Promise<readonly string[]> {
  const found = await Promise.all(
    declarations.map(async ({ service, exposurePercent, fromPercent }) => {
      if (exposurePercent > 0 || fromPercent > 0) return [service];
      const record = await readOr(service, records);
      return record === "unreadable" || (record !== undefined && isExposed(record, now)) ? [service] : [];
    }),
  );
  return found.flat();
}

/** A canary with traffic, or one that somebody is just opening. */
function isExposed(record: RolloutRecord, now: number): boolean {
  if (record.retiredAt !== undefined) return false;
  const { lease } = record;
  return committedPercent(record) > 0 || (lease !== undefined && lease.toPercent > 0 && lease.expiresAt > now);
}
