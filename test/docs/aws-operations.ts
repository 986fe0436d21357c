/**
 * The AWS CLI operations that runbooks use, with the options they may give. `test/aws/runbooks.test.ts` runs the very lines with the
 * real CLI, which refuses any option that does not exist; this table lets `npm test` say so without it.
 */
const everywhere = ["region", "query", "output"];

const options: Readonly<Record<string, readonly string[]>> = {
  "cloudtrail lookup-events": ["lookup-attributes", "max-results"],
  "cloudwatch describe-alarms": ["alarm-name-prefix", "state-value"],
  "cloudwatch get-metric-statistics": [
    "namespace",
    "metric-name",
    "dimensions",
    "start-time",
    "end-time",
    "period",
    "statistics",
    "extended-statistics",
  ],
  "cloudwatch set-alarm-state": ["alarm-name", "state-value", "state-reason"],
  "dynamodb describe-table": ["table-name"],
  "dynamodb get-item": ["table-name", "consistent-read", "key"],
  "dynamodb query": ["table-name", "key-condition-expression", "expression-attribute-values"],
  "elbv2 describe-rules": ["rule-arns", "listener-arn"],
  "elbv2 describe-tags": ["resource-arns"],
  "elbv2 describe-target-health": ["target-group-arn"],
  "elbv2 modify-rule": ["rule-arn", "actions"],
  "events describe-rule": ["name"],
  "lambda get-alias": ["function-name", "name"],
  "lambda invoke": ["function-name", "payload"],
  "lambda list-versions-by-function": ["function-name"],
  "lambda update-alias": ["function-name", "name", "function-version"],
  "logs filter-log-events": ["log-group-name", "start-time", "filter-pattern"],
  "sns list-subscriptions-by-topic": ["topic-arn"],
  "sns list-topics": [],
  "sns publish": ["topic-arn", "subject", "message"],
  "sqs get-queue-url": ["queue-name"],
  "sqs receive-message": ["queue-url", "max-number-of-messages", "visibility-timeout"],
};

/** What is wrong with one call, in words; empty: nothing. @param words without `aws` itself */
export function awsProblems([service = "", operation = "", ...rest]: readonly string[]): string[] {
  const name = `${service} ${operation}`;
  const known = options[name];
  if (!known)
    return [`aws ${name}: no operation that runbooks use; expected one of ${Object.keys(options).join(", ")}`];
  const given = rest.filter((word) => word.startsWith("--")).map((word) => word.slice(2));
  const problems = given
    .filter((option) => !known.includes(option) && !everywhere.includes(option))
    .map((option) => `aws ${name}: no option --${option}; expected ${[...known, ...everywhere].join(", ")}`);
  if (!given.includes("region")) problems.push(`aws ${name}: no --region; another region has another table`);
  return problems;
}
