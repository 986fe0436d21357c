/**
 * Which AWS account the credentials at hand belong to; the program compares it with the one its stack names.
 */
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { call } from "./call.ts";
import { type AwsAccess, clientSettings } from "./clients.ts";

/**
 * The account number, 12 digits.
 * @throws AwsCallError where STS does not answer; Error where its answer has no account
 */
export async function callerAccount(
  access: AwsAccess,
  client: STSClient = new STSClient(clientSettings(access)),
): Promise<string> {
  const { Account } = await call(`region ${access.region}: asking STS for the caller's account`, () =>
    client.send(new GetCallerIdentityCommand({})),
  );
  if (Account === undefined || !/^\d{12}$/.test(Account)) {
    throw new Error(`STS GetCallerIdentity: no account in the answer, got ${Account}; expected 12 digits`);
  }
  return Account;
}
