/** What a `ProgressiveService` takes beside its settings and its declaration. */
import type { ProgressiveServiceArgs } from "../../components/index.ts";
import type { FrozenFigure } from "../../core/watch-rules.ts";
import { rememberingGuards } from "./builders.ts";
import { account, region } from "./pulumi-run.ts";

export const elb = `arn:aws:elasticloadbalancing:${region}:${account}`;

export function serviceArgs(
  settings: ProgressiveServiceArgs["settings"],
  declaration: ProgressiveServiceArgs["declaration"],
  changes: Partial<ProgressiveServiceArgs> = {},
): ProgressiveServiceArgs {
  return {
    environment: "dev",
    region,
    settings,
    declaration,
    listenerArn: `${elb}:listener/app/edge/1/2`,
    loadBalancerArnSuffix: "app/edge/1",
    vpcId: "vpc-1",
    topics: { critical: "arn:critical", warning: "arn:warning" },
    hook: { functionName: "tidegate-dev-hook", aliasName: "live" },
    takenBy: "example/tidegate/dev",
    guards: rememberingGuards().binding,
    ...changes,
  };
}

/** Of every indicator that a preset plan compares from wave to wave. */
export const previousWaveFigures: readonly FrozenFigure[] = [
  { of: "previous-wave", percent: 10, indicator: "error-rate", value: 0.2 },
  { of: "previous-wave", percent: 10, indicator: "latency-p95", value: 120 },
];
