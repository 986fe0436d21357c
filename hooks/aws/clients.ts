/**
 * Settings that every AWS client here shares: bounded attempts, hard timeouts, credentials that somebody found already.
 * Endpoints come only from the SDK's own `AWS_ENDPOINT_URL…` variables; there is no switch of ours.
 */

/** Which account and region the adapters speak to. */
export interface AwsAccess {
  /** Explicit, never from the environment: the record of another region is another record. */
  readonly region: string;
  /** Credentials found already. @default the SDK's own chain (environment, AWS_PROFILE, SSO, role of the machine) */
  readonly credentials?: AwsCredentials;
}

/** As `credential-providers` gives them. */
export type AwsCredentials = ReturnType<typeof import("@aws-sdk/credential-providers").fromNodeProviderChain>;

/**
 * Tries of one call, the first included: throttling (DescribeAlarms takes 9 calls a second) is ridden out, and a dead endpoint
 * is named soon. The SDK's pauses between four throttled tries are at most 1, 2 and 4 s (its standard mode, read 2026-11), so
 * a call that fails has failed within 20 s. Record writes have a limit of their own.
 */
export const maxAttempts = 4;

/** How long a connection may take. Unit: milliseconds. */
export const connectTimeoutMilliseconds = 1_000;

/** How long one try may take. Unit: milliseconds. A describe call answers within a few hundred. */
export const requestTimeoutMilliseconds = 3_000;

/** Client settings for one access; give it to any AWS client's constructor. */
export function clientSettings({ region, credentials }: AwsAccess) {
  return {
    region,
    maxAttempts,
    retryMode: "standard",
    requestHandler: {
      connectionTimeout: connectTimeoutMilliseconds,
      requestTimeout: requestTimeoutMilliseconds,
      // Without it the SDK only logs a warning and goes on waiting.
      throwOnRequestTimeout: true,
    },
    ...(credentials === undefined ? {} : { credentials }),
  };
}
