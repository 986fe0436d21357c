/**
 * The guard on AWS, as Pulumi resource hooks: the only place where components meet hook code. It is loaded when the first write is
 * checked, so that a preview, and a program with a guard of its own, load no AWS client.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { tableName } from "../core/naming.ts";
import { defaultRunbookBase } from "../core/runbooks.ts";
import type { SignIn } from "../core/sign-in.ts";
import type { ElsewhereSettings } from "../hooks/elsewhere/elsewhere.ts";
import { signInOfProvider } from "./provider-access.ts";
import type { Guard, GuardBinding, GuardContext, HookCallback } from "./write-guard.ts";

export interface AwsGuardArgs {
  readonly region: string;
  readonly environment: string;
  /** How Pulumi's provider gets in; the guard reads with the same. */
  readonly signIn: SignIn;
  /** How to ask the systems that watch beside CloudWatch. @default none: a rule that they watch keeps every wave shut */
  readonly elsewhere?: ElsewhereSettings;
  /** The account that Pulumi's provider acts in, 12 digits; a guard in another one refuses every write. */
  readonly providerAccountId: string;
}

/** Guards that read record, rules, target health and alarms on AWS, tied to rules before create and before update. */
export function awsGuardBinding(args: AwsGuardArgs): GuardBinding {
  return bindingOver(() => Promise.resolve(args));
}

/**
 * The same for a component in somebody's program: what it reads with is the AWS provider that the component's children are made with,
 * passed in its options, inherited from its parent, or the program's default one.
 * @param component constructed as far as `super(…)`
 * @param region as its arguments say; the provider's must be the same
 * @throws pulumi.ResourceError, by failing the program, where the provider has a setting that the SDK cannot follow
 */
export function awsGuardBindingFor(
  component: pulumi.ComponentResource,
  { environment, region }: Pick<AwsGuardArgs, "environment" | "region">,
): GuardBinding {
  const signedIn = signInOfProvider(component, region);
  return bindingOver(async () => {
    const [signIn, { accountId }] = await Promise.all([signedIn, aws.getCallerIdentity({}, { parent: component })]);
    return { environment, region, signIn, providerAccountId: accountId };
  });
}

function bindingOver(argsOf: () => Promise<AwsGuardArgs>): GuardBinding {
  // One look-up of provider and account serves every service that shares the binding.
  let args: Promise<AwsGuardArgs> | undefined;
  return {
    guardFor(context: GuardContext): Guard {
      let guard: Promise<Guard> | undefined;
      return async (write) => {
        args ??= argsOf();
        guard ??= args.then((known) => loadGuard(known, context));
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
  const [{ awsPorts }, { accessOf }, { callerAccount }, { makeGuard }] = await Promise.all([
    import("../hooks/aws/ports.ts"),
    import("../hooks/aws/access.ts"),
    import("../hooks/aws/caller-account.ts"),
    import("../hooks/guard.ts"),
  ]);
  const access = accessOf(args.region, args.signIn);
  const accountId = await callerAccount(access);
  if (accountId !== args.providerAccountId) {
    throw new Error(
      `AWS account: Pulumi's provider and the AWS SDK act in different ones, got ${args.providerAccountId} and ${accountId}; expected the same. ` +
        "Give the SDK what the provider has: a profile, keys or roles to assume in the provider's own settings",
    );
  }
  const ports = awsPorts({
    ...access,
    tableName: tableName(args.environment),
    ...(args.elsewhere ? { elsewhere: args.elsewhere } : {}),
    // A guard sends no page, and nothing it writes links anywhere.
    place: { environment: args.environment, region: args.region, runbookBase: defaultRunbookBase },
  });
  return makeGuard(ports, context);
}
