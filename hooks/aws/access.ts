/**
 * Credentials out of what Pulumi's AWS provider is told: the profile, then one role after the other. In the order of the provider, which
 * lets keys in the environment win over AWS_PROFILE; the SDK alone would turn that round.
 */
import { fromEnv, fromIni, fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import type { AssumedRole, SignIn } from "../../core/sign-in.ts";
import { type AwsAccess, type AwsCredentials, clientSettings } from "./clients.ts";

/** Where the environment's variables come from; a test gives its own. */
type Variables = Readonly<Record<string, string | undefined>>;

/** The access of one sign-in in one region. Makes no call by itself. */
export function accessOf(region: string, signIn: SignIn, variables: Variables = process.env): AwsAccess {
  const first = firstCredentials(signIn, region, variables);
  const { region: stsRegion, ...bounds } = clientSettings({ region: signIn.stsRegion ?? region });
  const credentials = signIn.assumeRoles.reduce<AwsCredentials | undefined>(
    (before, role) =>
      fromTemporaryCredentials({
        params: paramsOf(role),
        ...(before === undefined ? {} : { masterCredentials: before }),
        clientConfig: { ...bounds, region: stsRegion },
      }),
    first,
  );
  return { region, ...(credentials === undefined ? {} : { credentials }) };
}

/** Absent: the SDK's own chain, which has the rest of the provider's order. */
function firstCredentials({ profile, keys }: SignIn, region: string, variables: Variables): AwsCredentials | undefined {
  if (keys) return async () => keys;
  if (profile !== undefined) return fromIni({ profile, clientConfig: { region } });
  return variables.AWS_ACCESS_KEY_ID && variables.AWS_SECRET_ACCESS_KEY ? fromEnv() : undefined;
}

/** STS's words for the provider's. */
function paramsOf(role: AssumedRole) {
  return {
    RoleArn: role.roleArn,
    ...(role.sessionName === undefined ? {} : { RoleSessionName: role.sessionName }),
    ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
    ...(role.durationSeconds === undefined ? {} : { DurationSeconds: role.durationSeconds }),
    ...(role.policy === undefined ? {} : { Policy: role.policy }),
    ...(role.policyArns === undefined ? {} : { PolicyArns: role.policyArns.map((arn) => ({ arn })) }),
    ...(role.tags === undefined ? {} : { Tags: Object.entries(role.tags).map(([Key, Value]) => ({ Key, Value })) }),
    ...(role.transitiveTagKeys === undefined ? {} : { TransitiveTagKeys: [...role.transitiveTagKeys] }),
    ...(role.sourceIdentity === undefined ? {} : { SourceIdentity: role.sourceIdentity }),
  };
}
