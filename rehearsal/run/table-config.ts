/** The service that the docs table is made for: one on a load balancer of its own, as `Pulumi.dev.yaml` has it. */
import { parseConfig } from "../../stacks/config.ts";

const imageOf = (letter: string): string => `registry.example.com/shop/checkout@sha256:${letter.repeat(64)}`;

export const rehearsalConfig = parseConfig({
  aws: { region: "eu-west-1" },
  tidegate: {
    environment: "dev",
    network: { vpcId: "vpc-0a1b2c3d4e5f60718", subnetIds: ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60722"] },
    services: {
      checkout: {
        mode: "act",
        match: { paths: ["/checkout/*"] },
        priority: 100,
        baseline: { version: "2.3.1", image: imageOf("a") },
        canary: { version: "2.4.0", image: imageOf("b") },
        wave: 0,
        plan: "rapid",
        objectives: "web",
        source: "emf",
      },
    },
  },
});
