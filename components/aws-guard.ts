/**
 * The guard on AWS, as Pulumi resource hooks: the only place where components meet hook code. It is loaded when the first write is
 * checked, so that a preview, and a program with a guard of its own, load no AWS client.
 */
import * as pulumi from "@pulumi/pulumi";
import { tableName } from "../core/naming.ts";
import { defaultRunbookBase } from "../core/runbooks.ts";
import type { Guard, GuardBinding, GuardContext, HookCallback } from "./write-guard.ts";

export interface AwsGuardArgs {
  readonly region: string;
  readonly environment: string;
}

/** Guards that read record, rules, target health and alarms on AWS, tied to rules before create and before update. */
export function awsGuardBinding(args: AwsGuardArgs): GuardBinding {
  return {
    guardFor(context: GuardContext): Guard {
      let guard: Promise<Guard> | undefined;
      return async (write) => {
        guard ??= loadGuard(args, context);
        await (await guard)(write);
      };
    },
    bind(hookName: string, callback: HookCallback): pulumi.ResourceHookBinding {
      const hook = new pulumi.ResourceHook(hookName, callback);
      return { beforeCreate: [hook], beforeUpdate: [hook] };
    },
  };
}

async function loadGuard(args: AwsGuardArgs, context: GuardContext): Promise<Guard> {
  const [{ awsPorts }, { makeGuard }] = await Promise.all([
    import("../hooks/aws/ports.ts"),
    import("../hooks/guard.ts"),
  ]);
  const ports = awsPorts({
    region: args.region,
    tableName: tableName(args.environment),
    // A guard sends no page, and nothing it writes links anywhere.
    place: { environment: args.environment, region: args.region, runbookBase: defaultRunbookBase },
  });
  return makeGuard(ports, context);
}
