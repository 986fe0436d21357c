/**
 * Checks a whole stack config and fills in its defaults; where it comes from is `config.ts`. What belongs to the foundation is either said
 * here or read from the stack that has it.
 */
import { z } from "zod";
import { drillService, isSlug, maximumServiceLength, slugRule } from "../../core/naming.ts";
import { defaultRunbookBase } from "../../core/runbooks.ts";
import { checkAcross } from "./across.ts";
import { readAlerting } from "./alerting.ts";
import { readAws } from "./aws-access.ts";
import { environmentName, readNetwork, readPeers } from "./environment.ts";
import {
  checkPlace,
  checkSharedListeners,
  checkSharedOwners,
  isEmpty,
  readFoundationName,
  readTakeOver,
  refuseFoundations,
  type Shared,
} from "./foundation.ts";
import { readFreezeConfig } from "./freezes.ts";
import { readLadder } from "./ladder.ts";
import type { AlertingConfig, EnvironmentConfig, NetworkConfig } from "./model.ts";
import { checkFields, isMap, type Path, Problems } from "./problems.ts";
import { type ReadService, readService } from "./service.ts";
import { checkSources } from "./watching.ts";

const topFields = {
  environment: environmentName,
  foundation: z.unknown(),
  peers: z.unknown(),
  network: z.unknown(),
  alerting: z.unknown(),
  services: z.unknown(),
  takeOver: z.unknown(),
  ladder: z.unknown(),
  freezes: z.unknown(),
};

/** Routing keys, testers' values and variables are secrets in many places; so is whatever Pulumi says is one. */
export function hidesValue(secretKeys: readonly string[]): (place: string) => boolean {
  return (place) =>
    /^alerting(?!\.email\[)/.test(place) ||
    /\.workload\.variables\./.test(place) ||
    /\.testers(?:\.(?:header|cookie)(?:\.value)?)?$/.test(place) ||
    secretKeys.some((key) => place === key || place.startsWith(`${key}.`) || place.startsWith(`${key}[`));
}

/** The first line of a refusal, given the number of problems. */
export function headingFor(stack: string | undefined): (count: string) => string {
  return (count) => `config "tidegate" has ${count}${stack === undefined ? "" : ` (stack ${stack})`}:`;
}

function readServices(raw: unknown, path: Path, problems: Problems, folder: string | undefined): ReadService[] {
  // A foundation may have no services, and the last service of a stack may leave.
  if (raw === undefined || raw === null) return [];
  if (!isMap(raw)) {
    problems.add(path, { wrong: "must be a map", expected: "a map from service name to service" }, raw);
    return [];
  }
  return Object.entries(raw).map(([name, written]) => {
    if (!isSlug(name, maximumServiceLength)) {
      const expected = `at most ${maximumServiceLength} characters: ${slugRule}`;
      problems.add([...path, name], { wrong: "not a service name", expected }, name);
    }
    if (name === drillService) {
      problems.add(
        [...path, name],
        { wrong: "the name that drills go by", expected: "any other", wayOut: "Call the service something else" },
        name,
      );
    }
    return readService(name, written, [...path, name], problems, folder);
  });
}

function parseInto(problems: Problems, raw: unknown, origin: ConfigOrigin): EnvironmentConfig | undefined {
  const written = isMap(raw) ? raw : {};
  const { region, access } = readAws(written.aws, problems);
  const fields = checkFields(topFields, written.tidegate ?? {}, [], problems);
  const foundation = readFoundationName(fields.foundation, problems);
  const shared =
    foundation === "here"
      ? readOwn(fields, region, problems)
      : readShared(foundation, fields, origin.foundation, problems);
  if (foundation !== undefined && foundation !== "here" && shared.whole)
    checkPlace(foundation, { ...fields, ...(region === undefined ? {} : { region }) }, shared.whole, problems);
  const services = readServices(fields.services, ["services"], problems, origin.folder);
  const { listenerArn, alerting } = shared;
  // Another stack's channels were checked there.
  const place = shared.whole ? { region: shared.whole.region, alerting: noAlerting } : { region, alerting };
  checkAcross(services, { ...place, listenerArn }, problems);
  const tried = isMap(fields.alerting) ? Object.keys(fields.alerting) : [];
  const isElsewhere = shared.whole !== undefined;
  checkSources(services, { alerting: shared.whole?.alerting ?? alerting, tried, isElsewhere }, problems);
  if (shared.whole) {
    checkSharedOwners(services, shared.whole, problems);
    checkSharedListeners(services, shared.whole, problems);
  }
  const names = isMap(fields.services) ? Object.keys(fields.services) : [];
  const takeOver = readTakeOver(fields.takeOver, names, problems);
  const freezes = readFreezeConfig(fields.freezes, ["freezes"], problems);
  const ladderBelow = readLadder(fields.ladder, ["ladder"], problems);
  if (problems.texts.length > 0 || region === undefined || fields.environment === undefined) return undefined;
  if (foundation === undefined || !shared.network) return undefined;
  const complete = services.flatMap((service) => service.config ?? []);
  return {
    environment: fields.environment,
    region,
    access,
    foundation,
    ...(takeOver === undefined ? {} : { takeOver }),
    ...(freezes === undefined ? {} : { freezes }),
    peers: shared.peers,
    network: shared.network,
    alerting,
    ...(ladderBelow === undefined ? {} : { ladderBelow }),
    services: complete.sort((left, right) => (left.name < right.name ? -1 : 1)),
  };
}

/** The foundation's part of a config, as far as it could be read. */
interface ReadShared {
  readonly network?: NetworkConfig;
  /** Known even where the network has other problems, for the checks across services. */
  readonly listenerArn?: string;
  readonly alerting: AlertingConfig;
  readonly peers: readonly string[];
  /** Only where it was another stack's. */
  readonly whole?: Shared;
}

type SharedFields = Readonly<Partial<Record<"network" | "alerting" | "peers", unknown>>>;

function readOwn(fields: SharedFields, region: string | undefined, problems: Problems): ReadShared {
  const written = isEmpty(fields.network) ? undefined : fields.network;
  const { network, listenerArn } = readNetwork(written, ["network"], problems);
  return {
    ...(network === undefined ? {} : { network }),
    ...(listenerArn === undefined ? {} : { listenerArn }),
    peers: readPeers(fields.peers, region, ["peers"], problems),
    alerting: readAlerting(fields.alerting, ["alerting"], problems),
  };
}

const noAlerting: AlertingConfig = { email: [], runbooks: defaultRunbookBase };

function readShared(
  name: string | undefined,
  { network, alerting, peers }: SharedFields,
  found: ConfigOrigin["foundation"],
  problems: Problems,
): ReadShared {
  if (name === undefined) return { alerting: noAlerting, peers: [] };
  refuseFoundations(name, { network, alerting, peers }, problems);
  if (found !== undefined && !("problems" in found)) {
    const { listenerArn } = found.network;
    const listener = listenerArn === undefined ? {} : { listenerArn };
    return { network: found.network, ...listener, alerting: found.alerting, peers: found.peers, whole: found };
  }
  const wrong = "another stack, of which nothing was read";
  const wayOut = "This is a fault of whoever reads the config";
  if (found) problems.texts.push(...found.problems);
  else problems.add(["foundation"], { wrong, expected: "here, or that stack's outputs or file", wayOut }, name);
  return { alerting: noAlerting, peers: [] };
}

/** What is known about a raw config besides its content. */
export interface ConfigOrigin {
  /** Shown in the heading. */
  readonly stack?: string;
  /** Top-level `tidegate` keys of which Pulumi says that they hold secrets; no value under them is shown. */
  readonly secretKeys?: readonly string[];
  /** What was read of the foundation that a service stack names, or why it could not be. */
  readonly foundation?: Shared | { readonly problems: readonly string[] };
  /** Where the stack file is, for the files that it names. @default none can be named */
  readonly folder?: string;
}

/** `parseConfig` for a caller that has found problems already. */
export function parseWith(problems: Problems, raw: unknown, origin: ConfigOrigin): EnvironmentConfig {
  const config = parseInto(problems, raw, origin);
  problems.throwIfAny(headingFor(origin.stack));
  if (!config) throw new Error("a config without problems came out incomplete");
  return config;
}

/**
 * Checks a config `{ tidegate: {…}, aws: {…} }` and fills in the defaults.
 * @throws BadInputError with every problem, each with its path
 */
export function parseConfig(raw: unknown, origin: ConfigOrigin = {}): EnvironmentConfig {
  return parseWith(new Problems(hidesValue(origin.secretKeys ?? [])), raw, origin);
}
