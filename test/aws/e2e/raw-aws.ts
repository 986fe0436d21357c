/**
 * Calls to services that the product itself has no SDK client for (IAM, SQS, KMS, EventBridge, logs, EC2): setting up an estate needs them.
 * Root's signature is not checked by the emulators, so a scope that names the service is enough.
 */

/** What root is called on the emulators; `run.sh` starts them with it. */
export const rootKey = "testing";

function authorization(service: string, region: string): string {
  return `AWS4-HMAC-SHA256 Credential=${rootKey}/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;
}

export interface RawAccess {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly region: string;
}

/** One call of the query protocol. @returns the XML @throws Error with AWS's own words */
export async function query(
  { endpoint, region }: RawAccess,
  service: "iam" | "ec2",
  fields: Readonly<Record<string, string>>,
): Promise<string> {
  const version = service === "iam" ? "2010-05-08" : "2016-11-15";
  return post(
    endpoint,
    `${service} ${fields.Action}`,
    new URLSearchParams({ Version: version, ...fields }).toString(),
    {
      "content-type": "application/x-www-form-urlencoded",
      authorization: authorization(service, region),
    },
  );
}

/** Prefix of `X-Amz-Target` by service. */
const targets = {
  sqs: "AmazonSQS",
  kms: "TrentService",
  events: "AWSEvents",
  logs: "Logs_20140328",
} as const;

/** One call of the JSON protocol. @throws Error with AWS's own words */
export async function json(
  { endpoint, region }: RawAccess,
  service: keyof typeof targets,
  operation: string,
  input: object,
): Promise<Record<string, unknown>> {
  const text = await post(endpoint, `${service} ${operation}`, JSON.stringify(input), {
    "content-type": `application/x-amz-json-1.${service === "sqs" ? 0 : 1}`,
    "x-amz-target": `${targets[service]}.${operation}`,
    authorization: authorization(service, region),
  });
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

async function post(endpoint: string, doing: string, body: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(endpoint, { method: "POST", headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${doing}: status ${response.status}: ${text.slice(0, 500)}`);
  return text;
}
