/** A probe's run on AWS: clients, the question whose account it is, the scene. */
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { callerAccount } from "../../hooks/aws/caller-account.ts";
import { clientSettings } from "../../hooks/aws/clients.ts";
import { ask } from "./ask.ts";
import { awsProbeCloud } from "./aws-cloud.ts";
import { makeScene } from "./aws-scene.ts";
import type { Answer, ProbeCloud } from "./cloud.ts";
import { Ledger } from "./ledger.ts";
import type { ProbeFlags } from "./plan.ts";

export interface AwsRunArgs extends ProbeFlags {
  /** The account that the person named. */
  readonly account: string;
  readonly run: string;
  /** Ends with an error when the run is stopped. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly now: () => number;
  /** @default HTTP on port 80 */
  readonly ask?: (host: string, path: string, cookie?: string) => Promise<Answer>;
}

export type AwsRun =
  | { readonly kind: "ready"; readonly ledger: Ledger; readonly prepare: () => Promise<ProbeCloud> }
  | { readonly kind: "refused"; readonly reason: string };

/** Long enough for AWS to make a load balancer. Unit: milliseconds. */
const requestMilliseconds = 30_000;

/** Nothing is made yet; only whose credentials these are is asked. */
export async function awsRun(args: AwsRunArgs): Promise<AwsRun> {
  const access = { region: args.region ?? "", ...(args.profile === undefined ? {} : { profile: args.profile }) };
  const account = await callerAccount(access);
  if (account !== args.account) {
    return {
      kind: "refused",
      reason: `--yes-this-creates-resources-in: not the account of the credentials, got ${args.account}; expected ${account}. Nothing was made`,
    };
  }
  const shared = clientSettings(access);
  const settings = { ...shared, requestHandler: { ...shared.requestHandler, requestTimeout: requestMilliseconds } };
  const elb = new ElasticLoadBalancingV2Client(settings);
  const elbOnce = new ElasticLoadBalancingV2Client({ ...settings, maxAttempts: 1 });
  const lambda = new LambdaClient(settings);
  const cloudWatch = new CloudWatchClient(settings);
  const ledger = new Ledger();
  const prepare = async (): Promise<ProbeCloud> => {
    const scene = await makeScene(
      { elb, lambda },
      {
        region: access.region,
        vpcId: args.vpc ?? "",
        subnetIds: args.subnets?.split(",") ?? [],
        securityGroupIds: args.securityGroups?.split(",") ?? [],
        lambdaRoleArn: args.lambdaRole ?? "",
        run: args.run,
      },
      ledger,
      args.sleep,
    );
    const asking = args.ask ?? ((host, path, cookie) => ask(host, 80, path, cookie));
    return awsProbeCloud({
      scene,
      elb,
      elbOnce,
      cloudWatch,
      run: args.run,
      ask: (path, cookie) => asking(scene.host, path, cookie),
      now: args.now,
      sleep: args.sleep,
    });
  };
  return { kind: "ready", ledger, prepare };
}
