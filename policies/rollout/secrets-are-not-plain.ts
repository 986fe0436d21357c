/**
 * Keys and webhooks are read from a secret store at run time; what a property holds, everyone reads who may look at the function, the
 * parameter or the task. A policy sees a Pulumi secret unwrapped, so it cannot tell one from plain text: properties that are made for
 * secrets are let off by name, and others by the configuration.
 */
import type { PolicyConfigSchema, ResourceValidationPolicy } from "@pulumi/policy";
import { at, type KnownMap, known } from "../known.ts";
import { exceptedProperties, madeForSecrets } from "./secret-places.ts";
import { secretsIn } from "./secret-shapes.ts";
import { settings } from "./settings.ts";

const parameterType = "aws:ssm/parameter:Parameter";

interface SecretSettings {
  readonly exceptProperties: readonly string[];
}

const configSchema: PolicyConfigSchema = {
  properties: {
    exceptProperties: {
      type: "array",
      items: { type: "string", minLength: 1 },
      default: [],
      description:
        "Properties that may hold a secret, with all that is in them: `environment.variables.LICENSE_KEY` on any resource, or on one type `postgresql:index/role:Role:password`. List positions are left out: `users.password`.",
    },
  },
};

export const secretsAreNotPlain: ResourceValidationPolicy = {
  name: "rollout-secrets-are-not-plain",
  displayName: "No secrets in properties that are not made for them",
  description:
    "No routing key, webhook URL, token, password or private key stands in a property of a resource or a component that is not made to hold one.",
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["rollout", "security", "tidegate"],
  url: "docs/policies.md#rollout-secrets-are-not-plain",
  remediationSteps:
    "Put the secret into AWS Secrets Manager (or an SSM SecureString) and give its ARN instead. Where it was plain text, rotate it: it is in the state and in every preview already. A policy sees Pulumi secrets unwrapped and cannot tell them from plain text: where a property has no other way and the program gives it a Pulumi secret, list it in exceptProperties.",
  configSchema,
  validateResource: (args, report) => {
    // A provider's credentials come out of the stack's secrets, which a policy cannot tell from plain text.
    if (args.type.startsWith("pulumi:providers:")) return;
    const { exceptProperties } = settings<SecretSettings>(args, configSchema);
    const props = known(args.props);
    const plainParameter = args.type === parameterType && at(props, "type") !== "SecureString";
    const skipped = new Set([
      ...(plainParameter ? [] : madeForSecrets(args.type)),
      ...exceptedProperties(exceptProperties, args.type),
    ]);
    // What a parameter holds, its own name tells and not the property's.
    const labelled: KnownMap = { name: at(props, "name"), value: at(props, "value") };
    const judged: KnownMap = plainParameter ? { ...props, value: labelled } : props;
    for (const { path, what } of secretsIn(judged, skipped)) {
      const place = plainParameter ? path.replace(/^value\.value/, "value") : path;
      report(
        `${args.name}: gives a secret to a property that is not made for one, got what looks like ${what} in ${place}; expected the ARN of a secret. Move it to ` +
          "Secrets Manager, or list the property in exceptProperties if it gets a Pulumi secret and has no other way",
      );
    }
  },
};
