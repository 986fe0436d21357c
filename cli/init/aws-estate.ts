/** The account behind the SDK, for `init`: ELBv2, STS and one look at DynamoDB. Each client is loaded when it is first used. */
import type { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { messageOf } from "../../core/error-message.ts";
import { type AwsCredentials, clientSettings } from "../../hooks/aws/clients.ts";
import { awsSurveyor } from "../../hooks/aws/survey.ts";
import { noCredentialsWords } from "../aws-place.ts";
import { RefusedError } from "../failures.ts";
import type { Estate } from "./estate.ts";

const byName = <T extends { readonly name: string }>(left: T, right: T) => (left.name < right.name ? -1 : 1);

/** Makes no call by itself. */
export function awsEstate(region: string, credentials: AwsCredentials, profile?: string): Estate {
  const settings = clientSettings({ region, credentials });
  let client: Promise<ElasticLoadBalancingV2Client> | undefined;
  const elb = async () => {
    client ??= import("@aws-sdk/client-elastic-load-balancing-v2").then(
      (sdk) => new sdk.ElasticLoadBalancingV2Client(settings),
    );
    return client;
  };
  const estate: Estate = {
    async account() {
      try {
        await credentials();
      } catch (error) {
        const words = noCredentialsWords(error, profile === undefined ? {} : { profile });
        throw new RefusedError(`tidegate init: ${words}. Nothing was written`, { cause: error });
      }
      const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
      const { Account } = await new STSClient(settings).send(new GetCallerIdentityCommand({}));
      if (!Account) throw new Error("STS GetCallerIdentity: no account in the answer; expected 12 digits");
      return Account;
    },
    async loadBalancers() {
      const { paginateDescribeLoadBalancers } = await import("@aws-sdk/client-elastic-load-balancing-v2");
      const found = [];
      for await (const page of paginateDescribeLoadBalancers({ client: await elb() }, {})) {
        for (const one of page.LoadBalancers ?? []) {
          if (one.Type !== "application") continue;
          found.push({ arn: one.LoadBalancerArn ?? "", name: one.LoadBalancerName ?? "", vpcId: one.VpcId ?? "" });
        }
      }
      return found.sort(byName);
    },
    async listeners(loadBalancerArn) {
      const { paginateDescribeListeners } = await import("@aws-sdk/client-elastic-load-balancing-v2");
      const found = [];
      const query = { LoadBalancerArn: loadBalancerArn };
      for await (const page of paginateDescribeListeners({ client: await elb() }, query)) {
        for (const one of page.Listeners ?? [])
          found.push({ arn: one.ListenerArn ?? "", port: one.Port ?? 0, protocol: one.Protocol ?? "" });
      }
      return found.sort((left, right) => left.port - right.port);
    },
    async targetGroups() {
      const { paginateDescribeTargetGroups } = await import("@aws-sdk/client-elastic-load-balancing-v2");
      const found = [];
      for await (const page of paginateDescribeTargetGroups({ client: await elb() }, {})) {
        for (const one of page.TargetGroups ?? []) {
          found.push({
            arn: one.TargetGroupArn ?? "",
            name: one.TargetGroupName ?? "",
            targetType: one.TargetType ?? "",
            ...(one.VpcId === undefined ? {} : { vpcId: one.VpcId }),
            loadBalancerArns: one.LoadBalancerArns ?? [],
          });
        }
      }
      return found.sort(byName);
    },
    async hasTable(name) {
      const { DescribeTableCommand, DynamoDBClient, ResourceNotFoundException } = await import(
        "@aws-sdk/client-dynamodb"
      );
      try {
        await new DynamoDBClient(settings).send(new DescribeTableCommand({ TableName: name }));
        return true;
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return false;
        throw error;
      }
    },
    async survey(query) {
      return awsSurveyor(await elb()).survey(query);
    },
  };
  return {
    account: told(estate.account),
    loadBalancers: told(estate.loadBalancers),
    listeners: told(estate.listeners),
    targetGroups: told(estate.targetGroups),
    hasTable: told(estate.hasTable),
    survey: told(estate.survey),
  };
}

/** Error names with which AWS refuses a caller. Source: common errors of the ELBv2, DynamoDB and STS API references, read 2026-11. */
const denials = /AccessDenied|NotAuthorized|Unauthorized|^OptInRequired$/;

/** A look-up that fails is told in words: rights where AWS says so, else that it does not answer. Nothing was changed either way. */
function told<Words extends unknown[], Answer>(
  lookUp: (...words: Words) => Promise<Answer>,
): (...words: Words) => Promise<Answer> {
  return async (...words) => {
    try {
      return await lookUp(...words);
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      throw new RefusedError(`tidegate init: ${failureWords(error)}. Nothing was written`, { cause: error });
    }
  };
}

/** What a failed look-up means. The survey wraps what AWS said; its name is then in the cause. */
export function failureWords(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const name = cause instanceof Error ? cause.name : "";
  const said = messageOf(error).replace(/\s+/g, " ").replace(/\.$/, "") || name;
  return denials.test(name)
    ? `the account cannot be looked at, got ${said}; expected the rights elasticloadbalancing:Describe*, dynamodb:DescribeTable and sts:GetCallerIdentity`
    : `AWS does not answer as expected, got ${said}; expected the account's load balancers. Check the network, the region and the credentials, and run this again`;
}
