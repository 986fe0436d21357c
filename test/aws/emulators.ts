/**
 * Where the emulators are: only the SDK's own variables, set by `run.sh`. Without them these tests would speak to AWS, so they
 * refuse to start.
 */
import type { AwsAccess } from "../../hooks/aws/clients.ts";

/** Access to the emulators; any region would do. */
export const access: AwsAccess = { region: "eu-west-1" };

/**
 * The endpoint in a variable.
 * @throws Error where it is unset or is not loopback
 */
export function emulatorEndpoint(variable: "AWS_ENDPOINT_URL" | "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2"): string {
  const url = process.env[variable] ?? "";
  if (/^http:\/\/127\.0\.0\.1:\d+$/.test(url)) return url;
  throw new Error(
    `${variable}: no emulator on loopback, got "${url}"; expected http://127.0.0.1:<port>. Run npm run test:aws`,
  );
}

let names = 0;

/** A name no other test of this run has. Letters, digits and hyphens, at most 32 characters. */
export function freshName(prefix: string): string {
  names += 1;
  return `${prefix}-${process.pid}-${names}`;
}
