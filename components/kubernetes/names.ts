/** What the objects of a release are called in a cluster, and how they are found there. */
import { createHash } from "node:crypto";

/**
 * A pod's host name has 63 characters, of which its ReplicaSet (a hyphen and 10) and the pod itself (a hyphen and 5) take 17; beyond that it
 * is cut and no longer tells pods apart. Source: Kubernetes, Object Names and IDs, RFC 1035 label names, read 2026-11. Unit: characters.
 */
const maximumNameLength = 63 - 17;
const hashLength = 8;
/** Of a label's value. Source: Kubernetes, Labels and Selectors, read 2026-11. Unit: characters. */
const maximumLabelLength = 63;

/** Whose objects they are. */
export interface ReleasePlace {
  readonly environment: string;
  readonly service: string;
  readonly version: string;
  readonly releaseKey: string;
}

/**
 * As much of `<service>-<version>` as fits, then 8 hex of environment, service and release: environments may share a namespace, and applying
 * an object that another environment has would change that one without a word.
 */
export function objectName({ environment, service, releaseKey }: Omit<ReleasePlace, "version">): string {
  const hash = createHash("sha256")
    .update(`${environment}/${service}/${releaseKey}`)
    .digest("hex")
    .slice(0, hashLength);
  // The release's own hash is in ours; the control's key has it before its end.
  const version = releaseKey.replace(/-[0-9a-f]{8}(?=-control$|$)/, "");
  const readable = `${service}-${version}`.slice(0, maximumNameLength - hashLength - 1);
  return `${readable.replace(/-+$/, "")}-${hash}`;
}

/** What a selector finds the pods by. It can never be changed on a Deployment, so nothing is in it that ever could. */
export function selectorOf(place: ReleasePlace): Readonly<Record<string, string>> {
  return { "app.kubernetes.io/name": place.service, "app.kubernetes.io/instance": objectName(place) };
}

/** What every object of a release carries. */
export function labelsOf(place: ReleasePlace): Readonly<Record<string, string>> {
  return {
    ...selectorOf(place),
    "app.kubernetes.io/version": labelValue(place.version),
    "app.kubernetes.io/managed-by": "tidegate",
    "tidegate/environment": place.environment,
    "tidegate/release": place.releaseKey,
  };
}

/** A version may have more in it than a label: `2.4.0+build` becomes `2.4.0-build`. */
function labelValue(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]/g, "-")
    .slice(0, maximumLabelLength)
    .replace(/[^A-Za-z0-9]+$/, "");
}
