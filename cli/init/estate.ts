/**
 * What an account has that `init` can look up. Only reads. Tests give their own. Where it cannot be read a look-up ends the command, in
 * words.
 */
import type { Surveyor } from "../../core/survey.ts";

export interface FoundLoadBalancer {
  readonly arn: string;
  readonly name: string;
  readonly vpcId: string;
}

export interface FoundListener {
  readonly arn: string;
  readonly port: number;
  readonly protocol: string;
}

export interface FoundGroup {
  readonly arn: string;
  readonly name: string;
  readonly targetType: string;
  readonly vpcId?: string;
  readonly loadBalancerArns: readonly string[];
}

export interface Estate extends Surveyor {
  /** The 12 digits of the credentials' account. @throws RefusedError without credentials */
  account(): Promise<string>;
  /** Application load balancers alone, by name. */
  loadBalancers(): Promise<readonly FoundLoadBalancer[]>;
  /** By port. */
  listeners(loadBalancerArn: string): Promise<readonly FoundListener[]>;
  /** Every target group of the region, by name. */
  targetGroups(): Promise<readonly FoundGroup[]>;
  /** Whether there is a DynamoDB table of this name. */
  hasTable(name: string): Promise<boolean>;
}
