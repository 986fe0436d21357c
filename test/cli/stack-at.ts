/** A stack's file as a team writes it, and a world in which what it says was rolled out. */
import { parse } from "yaml";
import { parseConfig } from "../../stacks/config.ts";
import { World } from "../helpers/world.ts";
import { stacksOf } from "./operator.ts";

const digest = (letter: string) => `registry.example.com/shop@sha256:${letter.repeat(64)}`;

/** Comments, quotes and blank lines of its own. @param more lines of the service, with their indentation */
export const stackFileAt = (wave: number, more = "") => `config:
  aws:region: eu-west-1
  tidegate:environment: dev
  tidegate:network: {vpcId: vpc-0a1b2c3d4e5f60718,   subnetIds: [subnet-0a1b2c3d4e5f60711, subnet-0a1b2c3d4e5f60722]}
  tidegate:alerting: { email: [sre@example.com] }

  tidegate:services:
    checkout: # ours
      mode: act
      match: { hosts: ["shop.example.com"] }
      priority: 100
      baseline: { version: "1.0.0", image: ${digest("a")} }
      canary: { version: '2.0.0', image: ${digest("b")} }
      wave: ${wave}   # the line
      attempt: 1
      objectives: batch
      source: alb
${more}      plan:
        waves:
          - { exposurePercent: 10, soak: 10m }
          - { exposurePercent: 25, soak: 10m, advance: automatic }
          - { exposurePercent: 100, soak: 10m }
      targetGroup: { port: 8080, healthCheckPath: /healthz }
`;

function serviceIn(text: string) {
  const { config } = parse(text);
  const raw: Record<"aws" | "tidegate", Record<string, unknown>> = { aws: {}, tidegate: {} };
  for (const [key, value] of Object.entries<unknown>(config)) {
    const [namespace, name = ""] = key.split(":");
    raw[namespace === "aws" ? "aws" : "tidegate"][name] = value;
  }
  const [service] = parseConfig(raw).services;
  if (!service) throw new Error("no service");
  return service;
}

/** A world at an exposure, and the folder whose file says a wave. */
export async function releasedWorld(exposurePercent: number, wave = exposurePercent, more = "") {
  const { canary, ...alone } = serviceIn(stackFileAt(wave, more));
  const world = new World({ ...alone, wavePercent: 0 });
  await world.must(world.up({ canary }));
  await world.reconcile();
  if (exposurePercent > 0) await world.rolledOutTo(exposurePercent, canary);
  return { world, canary, directory: stacksOf({ dev: stackFileAt(wave, more) }) };
}
