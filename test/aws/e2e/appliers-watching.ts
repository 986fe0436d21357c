/** Alarms, log groups and the record table, on ministack. */
import {
  type ComparisonOperator,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  type Statistic,
} from "@aws-sdk/client-cloudwatch";
import { CreateTableCommand, UpdateContinuousBackupsCommand } from "@aws-sdk/client-dynamodb";
import type { Applier, Emulators } from "./emulator-provider.ts";
import type { Inputs } from "./inputs.ts";
import { json } from "./raw-aws.ts";

export function watchingAppliers({ aws, cloudWatch, dynamo }: Emulators): Readonly<Record<string, Applier>> {
  const putAlarm = async (inputs: Inputs): Promise<undefined> => {
    await cloudWatch.send(new PutMetricAlarmCommand(metricAlarmOf(inputs)));
    return undefined;
  };
  const putComposite = async (inputs: Inputs): Promise<undefined> => {
    await cloudWatch.send(
      new PutCompositeAlarmCommand({
        AlarmName: inputs.text("alarmName"),
        AlarmDescription: inputs.text("alarmDescription"),
        AlarmRule: inputs.text("alarmRule"),
        AlarmActions: inputs.texts("alarmActions"),
        OKActions: inputs.texts("okActions"),
        Tags: inputs.tags,
      }),
    );
    return undefined;
  };
  return {
    "aws:cloudwatch/metricAlarm:MetricAlarm": {
      create: putAlarm,
      async update(inputs) {
        await putAlarm(inputs);
      },
    },
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": {
      create: putComposite,
      async update(inputs) {
        await putComposite(inputs);
      },
    },
    "aws:cloudwatch/logGroup:LogGroup": {
      async create(inputs) {
        const key = inputs.textIf("kmsKeyId");
        await json(aws, "logs", "CreateLogGroup", {
          logGroupName: inputs.text("name"),
          ...(key === undefined ? {} : { kmsKeyId: key }),
        });
        await json(aws, "logs", "PutRetentionPolicy", {
          logGroupName: inputs.text("name"),
          retentionInDays: inputs.number("retentionInDays"),
        });
        return undefined;
      },
    },
    "aws:dynamodb/table:Table": {
      async create(inputs) {
        const name = inputs.text("name");
        await dynamo.send(
          new CreateTableCommand({
            TableName: name,
            BillingMode: inputs.text("billingMode") as "PAY_PER_REQUEST",
            AttributeDefinitions: inputs.list("attributes").map((attribute) => ({
              AttributeName: attribute.text("name"),
              AttributeType: attribute.text("type") as "S",
            })),
            KeySchema: [
              { AttributeName: inputs.text("hashKey"), KeyType: "HASH" },
              { AttributeName: inputs.text("rangeKey"), KeyType: "RANGE" },
            ],
            DeletionProtectionEnabled: inputs.flag("deletionProtectionEnabled"),
            Tags: inputs.tags,
          }),
        );
        await dynamo.send(
          new UpdateContinuousBackupsCommand({
            TableName: name,
            PointInTimeRecoverySpecification: {
              PointInTimeRecoveryEnabled: inputs.object("pointInTimeRecovery")?.flag("enabled") ?? false,
            },
          }),
        );
        return undefined;
      },
    },
  };
}

function metricAlarmOf(inputs: Inputs) {
  const queries = inputs.list("metricQueries");
  return {
    AlarmName: inputs.text("name"),
    AlarmDescription: inputs.text("alarmDescription"),
    ActionsEnabled: inputs.has("actionsEnabled") ? inputs.flag("actionsEnabled") : true,
    AlarmActions: inputs.texts("alarmActions"),
    OKActions: inputs.texts("okActions"),
    InsufficientDataActions: inputs.texts("insufficientDataActions"),
    EvaluationPeriods: inputs.number("evaluationPeriods"),
    DatapointsToAlarm: inputs.numberIf("datapointsToAlarm"),
    Threshold: inputs.number("threshold"),
    ComparisonOperator: inputs.text("comparisonOperator") as ComparisonOperator,
    TreatMissingData: inputs.textIf("treatMissingData"),
    Tags: inputs.tags,
    ...(queries.length > 0
      ? { Metrics: queries.map(metricQueryOf) }
      : {
          Namespace: inputs.text("namespace"),
          MetricName: inputs.text("metricName"),
          Dimensions: dimensionsOf(inputs),
          Statistic: inputs.textIf("statistic") as Statistic | undefined,
          ExtendedStatistic: inputs.textIf("extendedStatistic"),
          Period: inputs.number("period"),
        }),
  };
}

function metricQueryOf(query: Inputs) {
  const metric = query.object("metric");
  return {
    Id: query.text("id"),
    Label: query.textIf("label"),
    ReturnData: query.flag("returnData"),
    ...(metric === undefined
      ? { Expression: query.text("expression") }
      : {
          MetricStat: {
            Metric: {
              Namespace: metric.text("namespace"),
              MetricName: metric.text("metricName"),
              Dimensions: dimensionsOf(metric),
            },
            Period: metric.number("period"),
            Stat: metric.text("stat"),
          },
        }),
  };
}

function dimensionsOf(inputs: Inputs) {
  return Object.entries(inputs.map("dimensions")).map(([Name, Value]) => ({ Name, Value }));
}
