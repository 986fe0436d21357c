/** What `tidegate init` says of look-ups that fail: rights where AWS says so, else that it does not answer (E7, B11). */
import { describe, expect, it } from "vitest";
import { failureWords } from "../../cli/init/aws-estate.ts";
import { callError } from "../../hooks/aws/call.ts";

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

describe("a look-up that fails", () => {
  const rights = "expected the rights elasticloadbalancing:Describe*, dynamodb:DescribeTable and sts:GetCallerIdentity";

  it("is blamed on rights where AWS refuses the caller, wrapped or not [E7]", () => {
    const denied = named("AccessDenied", "User is not authorized to perform:\n elasticloadbalancing:DescribeRules");
    const said = "User is not authorized to perform: elasticloadbalancing:DescribeRules";
    expect(failureWords(denied)).toBe(`the account cannot be looked at, got ${said}; ${rights}`);
    expect(failureWords(callError("listener web: reading its rules", denied))).toBe(
      `the account cannot be looked at, got listener web: reading its rules failed, got AccessDenied: ${said}; ${rights}`,
    );
  });

  it("is otherwise the way to AWS, not rights [E7]", () => {
    const wayOut =
      "expected the account's load balancers. Check the network, the region and the credentials, and run this again";
    expect(failureWords(named("Error", "getaddrinfo ENOTFOUND elasticloadbalancing.eu-west-1.amazonaws.com"))).toBe(
      `AWS does not answer as expected, got getaddrinfo ENOTFOUND elasticloadbalancing.eu-west-1.amazonaws.com; ${wayOut}`,
    );
    // Without addresses that answer, Node's own error has no message.
    expect(failureWords(new AggregateError([new Error("connect ECONNREFUSED")], ""))).toBe(
      `AWS does not answer as expected, got AggregateError; ${wayOut}`,
    );
  });
});
