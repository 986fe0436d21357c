/** Where an environment lives, and the ARNs that follow from it: a policy may name a resource before the resource is there. */

export interface Place {
  /** 12 digits. */
  readonly accountId: string;
  readonly region: string;
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
}

/** ARN of something in this account and region: `arnAt(place, "sns", "tidegate-dev-critical")`. */
export function arnAt({ partition, region, accountId }: Place, service: string, resource: string): string {
  return `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
}

/** AWS partition of a region. Source: "AWS partitions", AWS General Reference, read 2026-11. */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/** What the names of services that have a principal in each region end in. Source: as for `partitionOf`. */
export function dnsSuffixOf(partition: string): string {
  return partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
}
