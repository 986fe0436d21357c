/** A config that is fine, and ways to break one thing in it. */
import { BadInputError } from "../../core/bad-input.ts";
import { type ConfigOrigin, parseConfig } from "../../stacks/config.ts";
import type { FoundationOutputs } from "../../stacks/foundation.ts";

export const imageOf = (fill: string): string => `registry.example.com/shop/checkout@sha256:${fill.repeat(64)}`;
export const groupArn = (name: string): string =>
  `arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/${name}/0123456789abcdef`;
export const listenerArn =
  "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/0123456789abcdef/fedcba9876543210";

export function aService(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    mode: "act",
    match: { hosts: ["shop.example.com"], paths: ["/checkout/*"] },
    priority: 100,
    baseline: { version: "2.3.1", image: imageOf("a") },
    canary: { version: "2.4.0", image: imageOf("b") },
    wave: 10,
    attempt: 1,
    plan: "steady",
    objectives: "web",
    source: "emf",
    ...changes,
  };
}

export function aConfig(
  changes: Record<string, unknown> = {},
  services: Record<string, unknown> = { checkout: aService() },
): { aws: Record<string, unknown>; tidegate: Record<string, unknown> } {
  return {
    aws: { region: "eu-west-1" },
    tidegate: {
      environment: "dev",
      network: { vpcId: "vpc-01234567", subnetIds: ["subnet-01234567", "subnet-89abcdef"] },
      services,
      ...changes,
    },
  };
}

/** Outputs of a foundation, all of them whole. */
export function aFoundation(changes: Partial<FoundationOutputs> = {}): FoundationOutputs {
  return {
    contractVersion: 1,
    foundation: "here",
    environment: "dev",
    accountId: "123456789012",
    region: "eu-west-1",
    tableName: "tidegate-dev",
    hookFunctionName: "tidegate-dev-hook",
    hookAliasName: "live",
    criticalTopicArn: "arn:aws:sns:eu-west-1:123456789012:tidegate-dev-critical",
    warningTopicArn: "arn:aws:sns:eu-west-1:123456789012:tidegate-dev-warnings",
    listenerArn,
    moreListenerArns: [],
    loadBalancerArnSuffix: "app/shop/0123456789abcdef",
    vpcId: "vpc-01234567",
    runbooks: "https://wiki.example.com/runbooks",
    peers: [],
    dependencyOwners: [],
    ...changes,
  };
}

/** The problems of a config; empty when it is fine. */
export function problemsOf(raw: unknown, origin: ConfigOrigin = {}): readonly string[] {
  try {
    parseConfig(raw, origin);
  } catch (error) {
    if (error instanceof BadInputError) return error.problems;
    throw error;
  }
  return [];
}

/** The problems of a config in which one service is changed. */
export function serviceProblems(changes: Record<string, unknown>): readonly string[] {
  return problemsOf(aConfig({}, { checkout: aService(changes) }));
}
