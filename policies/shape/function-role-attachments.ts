/** No function gets AWS's own broad policies by attachment. Whose role an attachment is for only the whole stack shows. */
import type { PolicyResource, StackValidationPolicy } from "@pulumi/policy";
import { known, listAt, textAt, unknown } from "../known.ts";
import { broadManagedPolicy, isLambdaRole } from "../props-iam.ts";
import { message, referenceUrl } from "../props-message.ts";

const attachments = new Set([
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  "aws:iam/policyAttachment:PolicyAttachment",
]);

/** The function roles that an attachment is for: by reference, or by their physical name. */
function functionRolesOf(attachment: PolicyResource, resources: readonly PolicyResource[]): PolicyResource[] {
  const { role = [], roles = [] } = attachment.propertyDependencies;
  const props = known(attachment.props);
  const listedRoles = listAt(props, "roles");
  const names = [textAt(props, "role"), ...(listedRoles === unknown ? [] : listedRoles)];
  return resources.filter((resource) => {
    const roleProps = known(resource.props);
    if (!isLambdaRole(resource.type, roleProps)) return false;
    const physical = textAt(roleProps, "name");
    return (
      [...role, ...roles].some(({ urn }) => urn === resource.urn) ||
      (typeof physical === "string" && names.includes(physical))
    );
  });
}

export const functionRoleAttachments: StackValidationPolicy = {
  name: "function-role-attachments",
  description: "No Lambda function's role has a managed policy attached that may change every listener.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["iam", "least-privilege"],
  remediationSteps:
    "Delete the attachment and give the role a policy of its own that names its actions and its listeners.",
  url: referenceUrl("function-role-attachments"),
  validateStack: ({ resources }, report) => {
    for (const attachment of resources) {
      if (!attachments.has(attachment.type)) continue;
      const broad = broadManagedPolicy(textAt(known(attachment.props), "policyArn"));
      if (broad === undefined) continue;
      for (const role of functionRolesOf(attachment, resources)) {
        report(
          message({
            name: attachment.name,
            wrong: `lets the functions of role ${role.name} change every listener of the account`,
            got: broad,
            expected: "a policy of its own with whole names of actions",
            wayOut: "Delete the attachment",
          }),
          attachment.urn,
        );
      }
    }
  },
};
