/**
 * A release as config names it: a version, and the bytes or the target group behind it. What comes out has its identity, the
 * digest (core/releases.ts).
 */
import { z } from "zod";
import type { Release } from "../../core/releases.ts";
import { checkFields, leaf, type Path, type Problems, text } from "./problems.ts";

const imagePattern = /^[a-z0-9][a-z0-9._-]*(?::\d+)?(?:\/[a-z0-9._-]+)*(?::[\w.-]+)?@sha256:[0-9a-f]{64}$/;
const targetGroupPattern =
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup\/[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?\/[0-9a-f]{8,32}$/;

/** Shape of every target group ARN that may be adopted. */
export const targetGroupArn = text(targetGroupPattern, {
  wrong: "not a target group ARN",
  expected: "arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>",
  wayOut: "Find it with aws elbv2 describe-target-groups",
});

const version = leaf(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/), (value) =>
  typeof value === "number"
    ? {
        wrong: "a number, from which YAML has dropped any trailing zero",
        expected: `a text such as "2.30"`,
        wayOut: "Put the version in quotes",
      }
    : {
        wrong: "not a version",
        expected: `1 to 64 letters, digits, ".", "_", "+" and "-", starting with a letter or digit`,
      },
);

const image = leaf(z.string().regex(imagePattern), (value) =>
  typeof value === "string" && !value.includes("@")
    ? {
        wrong: "image without digest",
        expected: "<repository>@sha256:<64 hex>",
        wayOut: "A tag can be moved to other bytes; ask the registry for the digest behind it",
      }
    : { wrong: "not an image with a digest", expected: "<repository>@sha256:<64 lower-case hex>" },
);

const releaseFields = { version, image: image.optional(), targetGroupArn: targetGroupArn.optional() };

/** Reads a release; `undefined` after a problem. */
export function readRelease(raw: unknown, path: Path, problems: Problems): Release | undefined {
  const before = problems.texts.length;
  const fields = checkFields(releaseFields, raw, path, problems);
  if (problems.texts.length === before && !fields.image && !fields.targetGroupArn) {
    problems.add(path, {
      wrong: "nothing runs it",
      expected: "image, targetGroupArn or both",
      wayOut: "Give the image with its digest, or the ARN of the target group that serves this version",
    });
  }
  if (problems.texts.length > before || !fields.version) return undefined;
  const digest = fields.image
    ? fields.image.slice(fields.image.indexOf("@") + 1)
    : `${fields.targetGroupArn}#${fields.version}`;
  return {
    digest,
    version: fields.version,
    ...(fields.image ? { image: fields.image } : {}),
    ...(fields.targetGroupArn ? { targetGroupArn: fields.targetGroupArn } : {}),
  };
}
