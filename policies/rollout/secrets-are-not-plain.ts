/**
 * Keys and webhooks are read from a secret store at run time; what stands in a resource's properties, everyone reads who may look at
 * the function, the parameter or the state.
 */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { at, type KnownMap, known } from "../known.ts";
import { secretsIn } from "./secret-shapes.ts";

const parameterType = "aws:ssm/parameter:Parameter";

/** Properties that are made to hold a secret, by resource type. */
const madeForSecrets: Readonly<Record<string, readonly string[]>> = {
  "aws:secretsmanager/secretVersion:SecretVersion": ["secretString", "secretBinary"],
  [parameterType]: ["value"],
  // PagerDuty's key is part of the address that SNS delivers to; there is no other way to subscribe it.
  "aws:sns/topicSubscription:TopicSubscription": ["endpoint"],
};

export const secretsAreNotPlain: ResourceValidationPolicy = {
  name: "rollout-secrets-are-not-plain",
  displayName: "No secrets in plain text",
  description:
    "No routing key, webhook URL, token, password or private key stands in plain text in a resource's or a component's properties.",
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["rollout", "security", "tidegate"],
  url: "docs/policies.md#rollout-secrets-are-not-plain",
  remediationSteps:
    "Put the secret into AWS Secrets Manager (or an SSM SecureString), give its ARN instead, and rotate it: it is in the state and in every preview already.",
  validateResource: (args, report) => {
    // A provider's credentials come out of the stack's secrets, which a policy cannot tell from plain text.
    if (args.type.startsWith("pulumi:providers:")) return;
    const props = known(args.props);
    const plainParameter = args.type === parameterType && at(props, "type") !== "SecureString";
    const skipped = new Set(plainParameter ? [] : madeForSecrets[args.type]);
    // What a parameter holds, its own name tells and not the property's.
    const labelled: KnownMap = { name: at(props, "name"), value: at(props, "value") };
    const judged: KnownMap = plainParameter ? { ...props, value: labelled } : props;
    for (const { path, what } of secretsIn(judged, skipped)) {
      const place = plainParameter ? path.replace(/^value\.value/, "value") : path;
      report(
        `${args.name}: a secret in plain text, got what looks like ${what} in ${place}; expected the ARN of a secret. Move it to Secrets ` +
          "Manager, and rotate it",
      );
    }
  },
};
