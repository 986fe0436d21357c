/**
 * Secrets in a stack config: named by where they are kept, never written down. What people write down as it is has a place where it belongs,
 * and is refused by name without being repeated.
 */
import { isMap, type Path, type Problems, text } from "./problems.ts";

/** Where a secret is kept. */
export const secretArn = text(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$/, {
  wrong: "not the ARN of a secret",
  expected: "arn:aws:secretsmanager:<region>:<account>:secret:<name>",
  wayOut: "Store the secret with aws secretsmanager create-secret, and name it here by its ARN",
});

/** A map without some of its keys; anything else as it is. */
export function without(raw: unknown, keys: readonly string[]): unknown {
  return isMap(raw) ? Object.fromEntries(Object.entries(raw).filter(([key]) => !keys.includes(key))) : raw;
}

/**
 * Refuses by name what is a secret itself; answers the rest.
 * @param places key of a secret to where it belongs: a key beside it, or a setting of Pulumi's (`pagerduty:token`)
 */
export function withoutPlaintext(
  places: Readonly<Record<string, string>>,
  raw: unknown,
  path: Path,
  problems: Problems,
): unknown {
  for (const [key, instead] of Object.entries(places)) {
    if (!isMap(raw) || !(key in raw)) continue;
    problems.add([...path, key], {
      wrong: "a secret in plain text",
      expected: instead,
      wayOut: instead.includes(":")
        ? `Use pulumi config set --secret ${instead}`
        : "Revoke it, store the new one in AWS Secrets Manager and give that secret's ARN",
    });
  }
  return without(raw, Object.keys(places));
}
