/**
 * Releases and their identity. A release is an immutable version; its digest says which bytes it is, whatever role or
 * version text the config gives it.
 */

/** What the config declares about one release, resolved to an identity. */
export interface Release {
  /** `sha256:…` of the image, or `<target group ARN>#<version>` for an adopted group without an image. */
  readonly digest: string;
  readonly version: string;
  /** `repository@sha256:…` where the release is an image. */
  readonly image?: string;
  /** The adopted target group; left out, the program creates one keyed by the release. */
  readonly targetGroupArn?: string;
}

/**
 * What a hold and an attempt count are keyed by. An adopted group is reused by the next version, so a hold on it is keyed by
 * the ARN alone: a new version must not escape it silently.
 */
export function holdKey(digest: string): string {
  return digest.startsWith("arn:") ? (digest.split("#")[0] ?? digest) : digest;
}

/** Whether two digests fall under the same holds. */
export function sameHold(left: string, right: string): boolean {
  return holdKey(left) === holdKey(right);
}
