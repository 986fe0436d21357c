/** The Pulumi program of one stack, as a table of contents. */
import "../core/stack-traces.ts";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { awsGuardBinding } from "../components/aws-guard.ts";
import { tableName } from "../core/naming.ts";
import { accessOf } from "../hooks/aws/access.ts";
import { callerAccount } from "../hooks/aws/caller-account.ts";
import { clientSettings } from "../hooks/aws/clients.ts";
import { awsPorts } from "../hooks/aws/ports.ts";
import { awsSurveyor } from "../hooks/aws/survey.ts";
import { buildHookBundle, buildReportBundle, buildWatchmanBundle } from "../hooks/bundle.ts";
import { installedPictureFiles } from "../reports/assets.ts";
import { foundationInConfig, readStackConfig } from "./config.ts";
import { datadogApiUrl, datadogSiteProblems } from "./datadog.ts";
import { decideEnvironment, surveyEnvironment } from "./decide.ts";
import { withOtherCanaries } from "./dependency-groups.ts";
import { elsewhereOf } from "./elsewhere.ts";
import { foundationForConfig, readFoundation } from "./foundation.ts";
import { belowReader, ladderProblems } from "./ladder.ts";
import { ownRuleArns, placeProblems, previousUp, stackIdentity } from "./own-place.ts";
import { ownershipProblems } from "./ownership.ts";
import { program } from "./program.ts";
import { prepareWorkloads } from "./workloads.ts";

export default async () => {
  const stackId = stackIdentity();
  const named = foundationInConfig();
  const read = named === "here" ? undefined : await readFoundation(named, stackId);
  const config = readStackConfig(read && foundationForConfig(read));
  const foundation = read?.kind === "found" ? read : undefined;
  const { environment, region, alerting } = config;
  const access = accessOf(region, config.access);
  const records = tableName(environment);

  const [accountId, provider, previous, bundles] = await Promise.all([
    callerAccount(access),
    aws.getCallerIdentity({}),
    previousUp(stackId),
    foundation ? {} : bundleFolders(alerting.report !== undefined),
  ]);
  const misplaced = [
    ...placeProblems({
      previous: previous.place,
      current: { accountId, region, tableName: records, foundation: foundation?.stack ?? "here" },
      providerAccountId: provider.accountId,
      ...(foundation ? { foundationAccountId: foundation.outputs.accountId } : {}),
    }),
    ...datadogSiteProblems(alerting, datadogApiUrl()),
    ...ladderProblems(config.ladderBelow, stackId),
  ];
  if (misplaced.length > 0) throw new pulumi.RunError(misplaced.join("\n"));

  const below =
    config.ladderBelow === undefined ? {} : { below: belowReader(config.ladderBelow, { stackId, environment }) };
  const onAws = awsPorts({
    ...access,
    tableName: records,
    elsewhere: elsewhereOf(alerting, environment),
    place: {
      environment,
      region,
      runbookBase: alerting.runbooks,
      ...(alerting.dashboard === undefined ? {} : { dashboardUrl: alerting.dashboard }),
    },
  });
  const ports = { ...onAws, ...below };
  const own = {
    stackId,
    foundationStack: foundation?.stack ?? stackId,
    previousServices: previous.services,
    ownRuleArns: () => ownRuleArns(stackId),
  };
  const prepared = await prepareWorkloads(config, previous.workloads);
  for (const notice of prepared.notices) pulumi.log.warn(notice);
  const surveyor = awsSurveyor(new ElasticLoadBalancingV2Client(clientSettings(access)));
  const adopted = await surveyEnvironment(config, surveyor, ports);
  return program({
    config,
    decide: async (wanted) => withOtherCanaries(wanted, await decideEnvironment(wanted, ports, adopted), ports),
    survey: adopted.found,
    refusals: async (wanted) => [...(await ownershipProblems(wanted, own, ports)), ...prepared.refusals],
    workloads: prepared.workloads,
    placeOf: prepared.placeOf,
    guards: awsGuardBinding({
      environment,
      region,
      signIn: config.access,
      elsewhere: elsewhereOf(alerting, environment),
      providerAccountId: provider.accountId,
    }),
    ...(foundation ? { foundation } : {}),
    ...bundles,
    stackId,
    accountId,
    isPreview: pulumi.runtime.isDryRun(),
  });
};

async function bundleFolders(hasReport: boolean) {
  const [hookBundleFolder, watchmanBundleFolder, reportBundleFolder] = await Promise.all([
    buildHookBundle(),
    buildWatchmanBundle(),
    hasReport ? buildReportBundle(installedPictureFiles()) : undefined,
  ]);
  return {
    hookBundleFolder,
    watchmanBundleFolder,
    ...(reportBundleFolder === undefined ? {} : { reportBundleFolder }),
  };
}
