/** The parts of the stack config that a whole environment shares: its name, network and peers. Alerting is `alerting.ts`, AWS settings are `aws-access.ts`. */

import { z } from "zod";
import { regionPattern } from "../../core/aws-patterns.ts";
import { isSlug, maximumEnvironmentLength, slugRule } from "../../core/naming.ts";
import type { NetworkConfig } from "./model.ts";
import { check, checkFields, flag, isMap, leaf, type Path, type Problems, text } from "./problems.ts";
import { listenerArn } from "./route.ts";

export const environmentName = leaf(
  z.string().refine((name) => isSlug(name, maximumEnvironmentLength)),
  {
    wrong: "not an environment name",
    expected: `at most ${maximumEnvironmentLength} characters: ${slugRule}`,
    wayOut: "pulumi config set tidegate:environment dev",
  },
);

const cidrPattern = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\/(?:3[0-2]|[12]?\d)$/;

const networkFields = {
  vpcId: text(/^vpc-[0-9a-f]{8,17}$/, { wrong: "not a VPC id", expected: "vpc-<8 to 17 hex>" }),
  subnetIds: z
    .array(text(/^subnet-[0-9a-f]{8,17}$/, { wrong: "not a subnet id", expected: "subnet-<8 to 17 hex>" }))
    .optional(),
  listenerArn: listenerArn.optional(),
  moreListenerArns: z.array(listenerArn).optional(),
  certificateArn: text(/^arn:aws[a-z-]*:(?:acm|iam):[a-z0-9-]*:\d{12}:(?:server-)?certificate\/[\w./+=,@-]+$/, {
    wrong: "not the ARN of a certificate",
    expected: "arn:aws:acm:<region>:<account>:certificate/<id>",
  }).optional(),
  internal: flag.optional(),
  allowedCidrs: z
    .array(text(cidrPattern, { wrong: "not an IPv4 range", expected: "a range such as 10.0.0.0/8" }))
    .optional(),
};

/** Reads the network; `undefined` after a problem. `listenerArn` is answered even then, for the checks across services. */
export function readNetwork(
  raw: unknown,
  path: Path,
  problems: Problems,
): { network?: NetworkConfig; listenerArn?: string } {
  const before = problems.texts.length;
  const fields = checkFields(networkFields, raw, path, problems);
  const subnets = fields.subnetIds ?? [];
  if (isMap(raw) && "listenerArn" in raw) {
    for (const key of ["certificateArn", "internal", "allowedCidrs"] as const) {
      if (!(key in raw)) continue;
      problems.add([...path, key], {
        wrong: "belongs to a load balancer that the program makes, and listenerArn adopts one",
        expected: "one of the two",
        wayOut: `Leave ${key} or listenerArn out`,
      });
    }
  } else if (isMap(raw) && subnets.length < 2 && !(raw.subnetIds !== undefined && !fields.subnetIds)) {
    const wrong = "too few subnets for a load balancer";
    const wayOut = "Name two in different zones, or adopt a listener with listenerArn";
    problems.add([...path, "subnetIds"], { wrong, expected: "at least 2", wayOut }, subnets.length);
  }
  const repeated = subnets.find((subnet, index) => subnets.indexOf(subnet) !== index);
  if (repeated) problems.add([...path, "subnetIds"], { wrong: "named twice", expected: "each subnet once" }, repeated);

  const adopted = fields.listenerArn ? { listenerArn: fields.listenerArn } : {};
  if (problems.texts.length > before || !fields.vpcId) return adopted;
  const network: NetworkConfig = {
    vpcId: fields.vpcId,
    subnetIds: subnets,
    ...adopted,
    ...(fields.moreListenerArns?.length ? { moreListenerArns: fields.moreListenerArns } : {}),
    ...(fields.certificateArn ? { certificateArn: fields.certificateArn } : {}),
    internal: fields.internal ?? true,
    allowedCidrs: fields.allowedCidrs ?? [],
  };
  return { network, ...adopted };
}

const regionComplaint = { wrong: "not a region", expected: "a region such as eu-west-1" };
export const region = text(regionPattern, { ...regionComplaint, wayOut: "pulumi config set aws:region eu-west-1" });
const peer = text(regionPattern, regionComplaint);

/** Reads the regions that share this one's holds; empty when there are none, or after a problem. */
export function readPeers(raw: unknown, own: string | undefined, path: Path, problems: Problems): readonly string[] {
  if (raw === undefined) return [];
  const peers = check(z.array(peer), raw, path, problems) ?? [];
  peers.forEach((name, index) => {
    if (name === own) {
      const wayOut = "Name the other regions alone";
      problems.add([...path, index], { wrong: "this stack's own region", expected: "another region", wayOut }, name);
    } else if (peers.indexOf(name) < index) {
      problems.add([...path, index], { wrong: "named twice", expected: "each region once" }, name);
    }
  });
  return peers.toSorted();
}
