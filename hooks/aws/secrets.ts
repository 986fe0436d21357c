/**
 * Secrets out of Secrets Manager: read when first needed, kept five minutes, and read again once after somebody refused them, so that a
 * rotation heals itself. A secret of the wrong shape is refused without a word of it.
 */
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { call } from "./call.ts";
import { type AwsAccess, clientSettings } from "./clients.ts";

/** What is stored is not what was expected. */
export class SecretShapeError extends Error {
  override readonly name = "SecretShapeError";
}

export interface SecretKind {
  /** Names it in messages: `PagerDuty routing key`. */
  readonly name: string;
  readonly isValid: (text: string) => boolean;
  /** In words, for messages. */
  readonly expected: string;
}

/** The routing key of an Events v2 integration. Source: PagerDuty developer docs, Events API v2, read 2026-11. */
export const routingKey: SecretKind = {
  name: "PagerDuty routing key",
  isValid: (text) => /^[A-Za-z0-9]{32}$/.test(text),
  expected: "32 letters and digits as the whole secret string",
};

/** The URL of a Slack incoming webhook; loopback is for tests. */
export const slackWebhook: SecretKind = {
  name: "Slack webhook URL",
  isValid: (text) =>
    /^https:\/\/hooks\.slack(-gov)?\.com\/\S+$/.test(text) || /^http:\/\/127\.0\.0\.1:\d+(\/\S*)?$/.test(text),
  expected: "an https://hooks.slack.com/… URL as the whole secret string",
};

export interface Secret {
  /** The secret, at most five minutes old unless Secrets Manager does not answer. */
  read(): Promise<string>;
  /** Read anew, whatever is kept. */
  readAgain(): Promise<string>;
}

/** How long a secret is kept. Unit: milliseconds. */
export const secretLifetimeMilliseconds = 5 * 60_000;

export interface SecretArgs extends AwsAccess {
  readonly secretArn: string;
  readonly kind: SecretKind;
  readonly now: () => number;
  /** Hears each value before anyone uses it, so that logs know what to leave out. */
  readonly onValue: (value: string) => void;
}

/**
 * One secret of Secrets Manager. Its client is loaded with the first read: a rollback does not wait for what only pages need.
 * @param makeClient for tests
 */
export function managedSecret(args: SecretArgs, makeClient = secretsManager): Secret {
  const { secretArn, kind, now, onValue } = args;
  let kept: { readonly value: string; readonly at: number } | undefined;
  let reading: Promise<string> | undefined;

  async function fetchValue(): Promise<string> {
    const { client, GetSecretValueCommand } = await makeClient(args);
    const answer = await call(`secret ${secretArn}: reading the ${kind.name}`, () =>
      client.send(new GetSecretValueCommand({ SecretId: secretArn })),
    );
    // Consoles and editors like to add a line end.
    const value = (answer.SecretString ?? "").trim();
    if (value !== "") onValue(value);
    if (!kind.isValid(value)) {
      throw new SecretShapeError(
        `secret ${secretArn}: is no ${kind.name} (not shown); expected ${kind.expected}. Store it again`,
      );
    }
    kept = { value, at: now() };
    return value;
  }

  /** Several pages at once read once. */
  async function readAgain(): Promise<string> {
    reading ??= fetchValue().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    readAgain,
    async read() {
      if (kept && now() - kept.at < secretLifetimeMilliseconds) return kept.value;
      const old = kept;
      if (!old) return readAgain();
      // A page with a key of six minutes ago is better than none.
      return readAgain().catch(() => old.value);
    },
  };
}

async function secretsManager(access: AwsAccess) {
  const { SecretsManagerClient, GetSecretValueCommand } = await import("@aws-sdk/client-secrets-manager");
  const client: SecretsManagerClient = new SecretsManagerClient(clientSettings(access));
  return { client, GetSecretValueCommand };
}

/**
 * Uses a secret; where it was refused and has changed since it was read, uses the new one once.
 * @param isRefusal whether an error may mean that the secret is no longer good
 */
export async function withSecret<Answer>(
  secret: Secret,
  use: (value: string) => Promise<Answer>,
  isRefusal: (error: unknown) => boolean,
): Promise<Answer> {
  const value = await secret.read();
  try {
    return await use(value);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // Where it cannot be read anew, the refusal is what people need to know.
    const fresh = await secret.readAgain().catch(() => value);
    if (fresh === value) throw error;
    return use(fresh);
  }
}
