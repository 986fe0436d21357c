/** The Pulumi program of one environment, as a table of contents. */
import "../core/stack-traces.ts";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { awsGuardBinding } from "../components/aws-guard.ts";
import { tableName } from "../core/naming.ts";
import { callerAccount } from "../hooks/aws/caller-account.ts";
import { awsPorts } from "../hooks/aws/ports.ts";
import { buildHookBundle, buildWatchmanBundle } from "../hooks/bundle.ts";
import { readStackConfig } from "./config.ts";
import { decideEnvironment } from "./decide.ts";
import { placeProblems, previousPlace, stackIdentity } from "./own-place.ts";
import { program } from "./program.ts";

export default async () => {
  const config = readStackConfig();
  const access = { region: config.region };
  const stackId = stackIdentity();
  const records = tableName(config.environment);

  const [accountId, provider, previous, hookBundleFolder, watchmanBundleFolder] = await Promise.all([
    callerAccount(access),
    aws.getCallerIdentity({}),
    previousPlace(stackId),
    buildHookBundle(),
    buildWatchmanBundle(),
  ]);
  const elsewhere = placeProblems(
    previous,
    { accountId, region: config.region, tableName: records },
    provider.accountId,
  );
  if (elsewhere.length > 0) throw new pulumi.RunError(elsewhere.join("\n"));

  const { environment, region, alerting } = config;
  const ports = awsPorts({
    ...access,
    tableName: records,
    place: {
      environment,
      region,
      runbookBase: alerting.runbooks,
      ...(alerting.dashboard === undefined ? {} : { dashboardUrl: alerting.dashboard }),
    },
  });
  return program({
    config,
    decide: (wanted) => decideEnvironment(wanted, ports),
    guards: awsGuardBinding({ ...access, environment }),
    hookBundleFolder,
    watchmanBundleFolder,
    stackId,
    accountId,
    isPreview: pulumi.runtime.isDryRun(),
  });
};
