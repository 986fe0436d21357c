/**
 * The stack config: what a person writes in `Pulumi.<stack>.yaml`, checked at once and whole, with every default filled in.
 *
 * Quantities carry their unit, in the key (`stickinessSeconds: 3600`) or in the value (`soak: 24h`, `above: "5%"`). Unknown
 * keys are refused, and so is by name whatever this version cannot do yet. Values that may be secret are never repeated.
 */
import { basename, dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { BadInputError } from "../core/bad-input.ts";
import { workloadFacts } from "../core/capacity.ts";
import type { Intent } from "../core/declaration.ts";
import type { Shared } from "./config/foundation.ts";
import type { EnvironmentConfig, ServiceConfig } from "./config/model.ts";
import { type ConfigOrigin, headingFor, hidesValue, parseConfig, parseWith } from "./config/parse.ts";
import { isMap, type Path, Problems } from "./config/problems.ts";
import { readYaml } from "./config/yaml-file.ts";

export type { Shared } from "./config/foundation.ts";
export type * from "./config/model.ts";
export { type ConfigOrigin, parseConfig } from "./config/parse.ts";

/** Config as written, by namespace; values are plain data. */
export interface RawConfig {
  readonly tidegate: Readonly<Record<string, unknown>>;
  readonly aws: Readonly<Record<string, unknown>>;
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

/** The foundation that a config names, as far as it names one at all; whether it is well said, parsing tells. */
function foundationIn(raw: RawConfig | undefined): string {
  const named = raw?.tidegate.foundation;
  return typeof named === "string" && named !== "" ? named : "here";
}

/** The foundation that the running stack's config names: `here`, or a stack to be read before the config can be. */
export function foundationInConfig(): string {
  return foundationIn(rawFromSettings(pulumi.runtime.allConfig()));
}

/**
 * The config of the stack that Pulumi is running.
 * @param foundation what was read of the stack that `foundationInConfig` names; absent where that is this one
 * @throws pulumi.RunError with every problem, which Pulumi shows without a stack trace
 */
export function readStackConfig(foundation?: ConfigOrigin["foundation"]): EnvironmentConfig {
  const raw = rawFromSettings(pulumi.runtime.allConfig());
  try {
    return parseConfig(raw, {
      stack: pulumi.getStack(),
      secretKeys: secretTidegateKeys(),
      // Pulumi's stack files lie there; in a program without an engine there is none.
      ...(pulumi.getRootDirectory() === "" ? {} : { folder: pulumi.getRootDirectory() }),
      ...(foundation === undefined ? {} : { foundation }),
    });
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
 * The config in a `Pulumi.<stack>.yaml`, checked, and as written. For the rehearsal and the commands, which have no Pulumi. A service
 * stack's foundation is read from its file in the same folder.
 * @throws BadInputError on an unreadable file, malformed YAML, encrypted values and every problem of the config
 */
export function readStackFile(path: string): { config: EnvironmentConfig; raw: RawConfig } {
  const problems = new Problems(hidesValue([]));
  const raw = rawFromFile(path, problems);
  const stack = stackOf(path);
  if (!raw) problems.throwIfAny(headingFor(stack));
  const named = foundationIn(raw);
  const foundation = named === "here" ? {} : { foundation: foundationBeside(path, named) };
  const folder = dirname(path);
  return { config: parseWith(problems, raw, { stack, folder, ...foundation }), raw: raw ?? { tidegate: {}, aws: {} } };
}

/** What the file of a foundation says, or why it says nothing. */
function foundationBeside(path: string, name: string): NonNullable<ConfigOrigin["foundation"]> {
  const file = `Pulumi.${name.split("/").at(-1)}.yaml`;
  const problems = new Problems(hidesValue([]));
  const raw = rawFromFile(join(dirname(path), file), problems);
  const further = foundationIn(raw);
  if (raw && further !== "here") {
    const wayOut = file === basename(path) ? "Leave it out" : `Name that one, ${further}`;
    const text = `foundation: ${file} has its foundation elsewhere itself, got "${name}"; expected a stack that is one`;
    return { problems: [`${text}. ${wayOut}`] };
  }
  try {
    return sharedOf(parseWith(problems, raw, { stack: stackOf(file), folder: dirname(path) }));
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    const text = `foundation: stack ${name} is read from ${file} beside this file, which has problems of its own`;
    return { problems: error.problems.map((problem) => `${text}: ${problem}. Put that stack's file there, in order`) };
  }
}

/** What a service stack has of a foundation's config. */
export function sharedOf(config: EnvironmentConfig): Shared {
  const { environment, region, network, alerting, peers } = config;
  const { pagerduty } = alerting;
  const dependencyOwners = pagerduty?.kind === "made" ? Object.keys(pagerduty.owners) : [];
  return { environment, region, network, alerting, peers, dependencyOwners };
}

/** What one service asks for, in the words that core decides on. */
export function intentOf(
  { environment, freezes }: Pick<EnvironmentConfig, "environment" | "freezes">,
  service: ServiceConfig,
): Intent {
  return {
    environment,
    service: service.name,
    mode: service.mode,
    plan: service.plan,
    baseline: service.baseline,
    ...(service.canary ? { canary: service.canary } : {}),
    ...(service.control ? { control: service.control } : {}),
    wavePercent: service.wavePercent,
    attempt: service.attempt,
    retire: service.retire,
    ...(service.replaceBaselineReason === undefined ? {} : { replaceBaselineReason: service.replaceBaselineReason }),
    ...(service.workload ? { workload: workloadFacts(service.workload) } : {}),
    ...(service.split ? { split: service.split } : {}),
    ...(freezes === undefined ? {} : { freezes }),
    ...(service.overrideReason === undefined ? {} : { overrideReason: service.overrideReason }),
  };
}
