/** Where the end-to-end tests run: the emulators that `run.sh` started, and nothing else. */
import { emulatorEndpoint } from "../emulators.ts";

export const region = "eu-west-1";
/** The account of both emulators. */
export const accountId = "123456789012";

/** moto, as the other tests of this folder use it. */
export function balancingEndpoint(): string {
  return emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
}

/**
 * A ministack of these tests' own, with `AUTH=true`: what a role may not do is refused there.
 * @throws Error where it is unset or is not loopback
 */
export function authEndpoint(): string {
  const url = process.env.TIDEGATE_AUTH_ENDPOINT ?? "";
  if (/^http:\/\/127\.0\.0\.1:\d+$/.test(url)) return url;
  throw new Error(
    `TIDEGATE_AUTH_ENDPOINT: no emulator on loopback, got "${url}"; expected http://127.0.0.1:<port>. Run npm run test:aws`,
  );
}
