/** The stack that program time is measured with: as many services as asked for, each with a canary staged, and nothing real yet. */
import type { DecidePorts } from "../../stacks/decide.ts";
import { project } from "./mocks.ts";

const image = (service: string, letter: string) => `registry.example.com/shop/${service}@sha256:${letter.repeat(64)}`;

/** Config as Pulumi hands it to a program. @param count services */
export function settingsOf(count: number): Record<string, string> {
  const names = Array.from({ length: count }, (_, index) => `service-${index + 1}`);
  const services = Object.fromEntries(
    names.map((name, index) => [
      name,
      {
        mode: "act",
        match: { hosts: [`${name}.example.com`] },
        priority: (index + 1) * 10,
        baseline: { version: "2.3.1", image: image(name, "a") },
        canary: { version: "2.4.0", image: image(name, "b") },
        wave: 0,
        plan: "rapid",
        objectives: "web",
        source: "emf",
      },
    ]),
  );
  return {
    "aws:region": project.region,
    "tidegate:environment": "bench",
    "tidegate:network": JSON.stringify({
      vpcId: "vpc-0a1b2c3d4e5f60718",
      subnetIds: ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60722"],
    }),
    "tidegate:alerting": JSON.stringify({ email: ["team@example.com"] }),
    "tidegate:services": JSON.stringify(services),
  };
}

/** Nothing is adopted, so nobody surveys. */
export async function nothingToSurvey(): Promise<never> {
  throw new Error("the bench adopts nothing, and was asked for a survey");
}

/**
 * Reality before the first `up`, answered at once: what is measured is the program, not the network. It holds the calls that a first `up`
 * makes; another one would fail by name.
 */
export const nothingReal = {
  clock: { now: () => Date.UTC(2026, 0, 5, 9) },
  traffic: { findMainRules: async () => [] },
  peers: {},
  records: { read: async () => undefined, list: async () => [] },
} as unknown as DecidePorts;
