/**
 * CloudWatch dimensions out of ELBv2 ARNs, for load balancers and groups that the program adopts and so has no outputs of.
 * Source: "CloudWatch metrics for your Application Load Balancer", ALB user guide, read 2026-11.
 */

/** The text is no ELBv2 ARN of the kind that is needed. */
export class ArnInvalidError extends Error {
  override readonly name = "ArnInvalidError";
}

function suffixOf(arn: string, pattern: RegExp, kind: string, example: string): string {
  const suffix = pattern.exec(arn)?.[1];
  if (suffix === undefined) throw new ArnInvalidError(`${kind}: not an ARN of one, got "${arn}"; expected ${example}`);
  return suffix;
}

const prefix = "^arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:\\d{12}:";

/**
 * The dimension `TargetGroup`: `targetgroup/<name>/<id>`.
 * @throws ArnInvalidError
 */
export function targetGroupArnSuffix(arn: string): string {
  const pattern = new RegExp(`${prefix}(targetgroup/[^/]+/[^/]+)$`);
  return suffixOf(
    arn,
    pattern,
    "target group",
    "arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>",
  );
}

/**
 * The dimension `LoadBalancer`: `app/<name>/<id>`, out of the load balancer's own ARN or out of a listener's.
 * @throws ArnInvalidError also for network and gateway load balancers, which have no weights
 */
export function loadBalancerArnSuffix(arn: string): string {
  const pattern = new RegExp(`${prefix}(?:loadbalancer|listener)/(app/[^/]+/[^/]+)(?:/[^/]+)?$`);
  return suffixOf(
    arn,
    pattern,
    "application load balancer or its listener",
    "arn:aws:elasticloadbalancing:<region>:<account>:listener/app/<name>/<id>/<id>",
  );
}
