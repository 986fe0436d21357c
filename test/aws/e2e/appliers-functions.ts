/** Roles, functions with their versions and aliases, permissions and invocations, on ministack. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  type Runtime,
} from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import { ProviderRefusedError } from "../../../rehearsal/engine/errors.ts";
import type { Applier, Emulators } from "./emulator-provider.ts";
import type { Inputs } from "./inputs.ts";
import { query } from "./raw-aws.ts";
import { until } from "./until.ts";

export function functionAppliers({ aws, lambda, functionVariables }: Emulators): Readonly<Record<string, Applier>> {
  return {
    "aws:iam/role:Role": {
      async create(inputs) {
        await query(aws, "iam", {
          Action: "CreateRole",
          RoleName: inputs.text("name"),
          AssumeRolePolicyDocument: inputs.text("assumeRolePolicy"),
        });
        return undefined;
      },
    },
    "aws:iam/rolePolicy:RolePolicy": {
      async create(inputs, { outputs }) {
        await query(aws, "iam", {
          Action: "PutRolePolicy",
          RoleName: inputs.text("role"),
          PolicyName: String(outputs.name),
          PolicyDocument: inputs.text("policy"),
        });
        return undefined;
      },
    },
    "aws:lambda/function:Function": {
      async create(inputs) {
        const deadLetters = inputs.object("deadLetterConfig")?.text("targetArn");
        await lambda.send(
          new CreateFunctionCommand({
            FunctionName: inputs.text("name"),
            Description: inputs.text("description"),
            Runtime: inputs.text("runtime") as Runtime,
            Handler: inputs.text("handler"),
            Role: inputs.text("role"),
            Timeout: inputs.number("timeout"),
            MemorySize: inputs.number("memorySize"),
            Publish: inputs.flag("publish"),
            Architectures: ["arm64"],
            Environment: {
              Variables: { ...inputs.object("environment")?.map("variables"), ...functionVariables },
            },
            ...(deadLetters === undefined ? {} : { DeadLetterConfig: { TargetArn: deadLetters } }),
            Code: { ZipFile: zipSync(filesOf(inputs)) },
            Tags: inputs.map("tags"),
          }),
        );
        await until(
          () => lambda.send(new GetFunctionConfigurationCommand({ FunctionName: inputs.text("name") })),
          ({ State }) => State === "Active",
        );
        return undefined;
      },
    },
    "aws:lambda/alias:Alias": {
      async create(inputs) {
        await lambda.send(
          new CreateAliasCommand({
            Name: inputs.text("name"),
            FunctionName: inputs.text("functionName"),
            FunctionVersion: inputs.text("functionVersion"),
          }),
        );
        return undefined;
      },
    },
    "aws:lambda/permission:Permission": {
      async create(inputs) {
        await lambda.send(
          new AddPermissionCommand({
            StatementId: inputs.text("statementId"),
            Action: inputs.text("action"),
            FunctionName: inputs.text("function"),
            Qualifier: inputs.textIf("qualifier"),
            Principal: inputs.text("principal"),
            SourceArn: inputs.text("sourceArn"),
          }),
        );
        return undefined;
      },
    },
    "aws:lambda/invocation:Invocation": {
      async create(inputs) {
        await invokeAs(lambda, inputs, "create");
        return undefined;
      },
      async update(inputs) {
        await invokeAs(lambda, inputs, "update");
      },
    },
  };
}

/** The archive's files; it is captured by its path. */
function filesOf(inputs: Inputs): Record<string, Uint8Array> {
  const folder = inputs.object("code")?.text("folder") ?? "";
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name))]),
  );
}

/** As the provider's invocation resource does: the life cycle goes beside the input where it is asked for, and a failed run fails the `up`. */
async function invokeAs(lambda: LambdaClient, inputs: Inputs, action: "create" | "update"): Promise<void> {
  const input = JSON.parse(inputs.text("input")) as Record<string, unknown>;
  const sent = inputs.textIf("lifecycleScope") === "CRUD" ? { ...input, tf: { action, prev_input: null } } : input;
  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: inputs.text("functionName"),
      Qualifier: inputs.textIf("qualifier"),
      Payload: JSON.stringify(sent),
    }),
  );
  if (answer.FunctionError === undefined) return;
  throw new ProviderRefusedError(`${inputs.place}: ${answer.Payload?.transformToString() ?? answer.FunctionError}`);
}
