/** A config that is fine, and ways to break one thing in it. */
import { BadInputError } from "../../core/bad-input.ts";
import { parseConfig } from "../../stacks/config.ts";

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

/** The problems of a config; empty when it is fine. */
export function problemsOf(raw: unknown): readonly string[] {
  try {
    parseConfig(raw);
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
