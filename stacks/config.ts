/**
 * The stack config: what a person writes in `Pulumi.<stack>.yaml`, checked at once and whole, with every default filled in.
 *
 * Quantities carry their unit, in the key (`stickinessSeconds: 3600`) or in the value (`soak: 24h`, `above: "5%"`). Unknown
 * keys are refused, and so is by name whatever this version cannot do yet. Values that may be secret are never repeated.
 */
import { basename } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { BadInputError } from "../core/bad-input.ts";
import type { Intent } from "../core/declaration.ts";
import { drillService, isSlug, maximumServiceLength, slugRule } from "../core/naming.ts";
import { checkAcross } from "./config/across.ts";
import { readAlerting } from "./config/alerting.ts";
import { environmentName, foundation, readAws, readNetwork, readPeers } from "./config/environment.ts";
import type { EnvironmentConfig, ServiceConfig } from "./config/model.ts";
import { checkFields, isMap, type Path, Problems } from "./config/problems.ts";
import { type ReadService, readService } from "./config/service.ts";
import { readYaml } from "./config/yaml-file.ts";

export type * from "./config/model.ts";

/** Config as written, by namespace; values are plain data. */
export interface RawConfig {
  readonly tidegate: Readonly<Record<string, unknown>>;
  readonly aws: Readonly<Record<string, unknown>>;
}

const topFields = {
  environment: environmentName,
  foundation: foundation.optional(),
  peers: z.unknown(),
  network: z.unknown(),
  alerting: z.unknown(),
  services: z.unknown(),
};

/** Routing keys and testers' values are secrets in many places; so is whatever Pulumi says is one. */
function hidesValue(secretKeys: readonly string[]): (place: string) => boolean {
  return (place) =>
    /^alerting(?!\.email\[)/.test(place) ||
    /\.testers(?:\.(?:header|cookie)(?:\.value)?)?$/.test(place) ||
    secretKeys.some((key) => place === key || place.startsWith(`${key}.`) || place.startsWith(`${key}[`));
}

function headingFor(stack: string | undefined): (count: string) => string {
  return (count) => `config "tidegate" has ${count}${stack === undefined ? "" : ` (stack ${stack})`}:`;
}

function readServices(raw: unknown, path: Path, problems: Problems): ReadService[] {
  if (!isMap(raw)) {
    const complaint = {
      wrong: raw === undefined || raw === null ? "missing" : "must be a map",
      expected: "a map from service name to service",
    };
    problems.add(path, complaint, raw ?? undefined);
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
    return readService(name, written, [...path, name], problems);
  });
}

function parseInto(problems: Problems, raw: unknown): EnvironmentConfig | undefined {
  const written = isMap(raw) ? raw : {};
  const region = readAws(written.aws, problems);
  const fields = checkFields(topFields, written.tidegate ?? {}, [], problems);
  const { network, listenerArn } = readNetwork(fields.network, ["network"], problems);
  const peers = readPeers(fields.peers, region, ["peers"], problems);
  const alerting = readAlerting(fields.alerting, ["alerting"], problems);
  const services = readServices(fields.services, ["services"], problems);
  checkAcross(services, { region, listenerArn, alerting }, problems);
  if (problems.texts.length > 0 || region === undefined || fields.environment === undefined || !network)
    return undefined;
  const complete = services.flatMap((service) => service.config ?? []);
  return {
    environment: fields.environment,
    region,
    access: { assumeRoles: [] },
    foundation: fields.foundation ?? "here",
    peers,
    network,
    alerting,
    services: complete.sort((left, right) => (left.name < right.name ? -1 : 1)),
  };
}

/** What is known about a raw config besides its content. */
export interface ConfigOrigin {
  /** Shown in the heading. */
  readonly stack?: string;
  /** Top-level `tidegate` keys of which Pulumi says that they hold secrets; no value under them is shown. */
  readonly secretKeys?: readonly string[];
}

function parseWith(problems: Problems, raw: unknown, stack: string | undefined): EnvironmentConfig {
  const config = parseInto(problems, raw);
  problems.throwIfAny(headingFor(stack));
  if (!config) throw new Error("a config without problems came out incomplete");
  return config;
}

/**
 * Checks a config `{ tidegate: {…}, aws: {…} }` and fills in the defaults.
 * @throws BadInputError with every problem, each with its path
 */
export function parseConfig(raw: unknown, origin: ConfigOrigin = {}): EnvironmentConfig {
  return parseWith(new Problems(hidesValue(origin.secretKeys ?? [])), raw, origin.stack);
}

/** Splits `namespace:key` settings; Pulumi hands maps and lists over as JSON. */
function rawFromSettings(settings: Readonly<Record<string, string>>): RawConfig {
  const raw: Record<"tidegate" | "aws", Record<string, unknown>> = { tidegate: {}, aws: {} };
  for (const [name, text] of Object.entries(settings)) {
    const [namespace, ...rest] = name.split(":");
    if (namespace === "aws" || namespace === "tidegate") raw[namespace][rest.join(":")] = fromSetting(text);
  }
  return raw;
}

function fromSetting(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Settings as `pulumi.runtime.setAllConfig` takes them: the way a file's config gets into an inline program. */
export function toSettings(raw: RawConfig): Record<string, string> {
  const entries = (["aws", "tidegate"] as const).flatMap((namespace) =>
    Object.entries(raw[namespace]).map(([key, value]): [string, string] => [
      `${namespace}:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  return Object.fromEntries(entries);
}

/** The keys Pulumi holds as secrets; the language host names them in its own variable. */
function secretTidegateKeys(): string[] {
  const listed: unknown = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]");
  const names = Array.isArray(listed) ? listed.filter((name) => typeof name === "string") : [];
  return names.filter((name) => name.startsWith("tidegate:")).map((name) => name.slice("tidegate:".length));
}

/**
 * The config of the stack that Pulumi is running.
 * @throws pulumi.RunError with every problem, which Pulumi shows without a stack trace
 */
export function readStackConfig(): EnvironmentConfig {
  const raw = rawFromSettings(pulumi.runtime.allConfig());
  try {
    return parseConfig(raw, { stack: pulumi.getStack(), secretKeys: secretTidegateKeys() });
  } catch (error) {
    if (error instanceof BadInputError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

/** Encrypted values are for Pulumi alone: nothing here decrypts. Each is named once, and not complained about again. */
function refuseSecure(value: unknown, path: Path, problems: Problems): void {
  if (isMap(value) && "secure" in value) {
    problems.settle(path, {
      wrong: "an encrypted value, which is not decrypted here",
      expected: "a plain value",
      wayOut: "Try it with a copy of the file that has a stand-in",
    });
  } else if (Array.isArray(value)) {
    value.forEach((entry, index) => {
      refuseSecure(entry, [...path, index], problems);
    });
  } else if (isMap(value)) {
    for (const [key, entry] of Object.entries(value)) refuseSecure(entry, [...path, key], problems);
  }
}

function rawFromFile(path: string, problems: Problems): RawConfig | undefined {
  const file = readYaml(path, problems);
  if (problems.texts.length > 0) return undefined;
  const raw: Record<"tidegate" | "aws", Record<string, unknown>> = { tidegate: {}, aws: {} };
  const config = isMap(file) ? file.config : undefined;
  if (!isMap(config)) {
    problems.texts.push(`${basename(path)}: no config; expected a map under config:. Copy Pulumi.dev.yaml`);
    return undefined;
  }
  for (const [name, value] of Object.entries(config)) {
    const [namespace, ...rest] = name.split(":");
    const key = rest.join(":");
    if (key === "") {
      const complaint = { wrong: "a key without a namespace", expected: `tidegate:${name} or <provider>:${name}` };
      problems.add(["config", name], complaint);
    } else if (namespace === "aws" || namespace === "tidegate") {
      raw[namespace][key] = value;
      refuseSecure(value, [namespace === "aws" ? name : key], problems);
    }
  }
  return raw;
}

function stackOf(path: string): string {
  return /^Pulumi\.(.+)\.ya?ml$/.exec(basename(path))?.[1] ?? basename(path);
}

/**
 * The config in a `Pulumi.<stack>.yaml`, checked, and as written. For the rehearsal and the commands, which have no Pulumi.
 * @throws BadInputError on an unreadable file, malformed YAML, encrypted values and every problem of the config
 */
export function readStackFile(path: string): { config: EnvironmentConfig; raw: RawConfig } {
  const problems = new Problems(hidesValue([]));
  const raw = rawFromFile(path, problems);
  if (!raw) problems.throwIfAny(headingFor(stackOf(path)));
  return { config: parseWith(problems, raw, stackOf(path)), raw: raw ?? { tidegate: {}, aws: {} } };
}

/** What one service asks for, in the words that core decides on. */
export function intentOf(environment: Pick<EnvironmentConfig, "environment">, service: ServiceConfig): Intent {
  return {
    environment: environment.environment,
    service: service.name,
    mode: service.mode,
    plan: service.plan,
    baseline: service.baseline,
    ...(service.canary ? { canary: service.canary } : {}),
    wavePercent: service.wavePercent,
    attempt: service.attempt,
    retire: service.retire,
    ...(service.replaceBaselineReason === undefined ? {} : { replaceBaselineReason: service.replaceBaselineReason }),
    ...(service.overrideReason === undefined ? {} : { overrideReason: service.overrideReason }),
  };
}
