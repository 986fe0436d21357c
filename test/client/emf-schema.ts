/**
 * What CloudWatch takes as an embedded metric line, as a JSON schema that refuses more than CloudWatch does: no member that is not
 * declared, and nothing over a limit.
 * Source: "Specification: Embedded metric format", CloudWatch user guide, excerpts read 2026-11: 100 metrics a directive, 30 dimensions a set,
 * 100 values a metric. From memory: names of at most 1,024 and dimension names of at most 250 characters.
 */
import { Ajv } from "ajv";
import type { Line } from "./fake-runtime.ts";

const units = ["Count", "Milliseconds", "Megabytes", "Percent", "Seconds"];
const number = { type: "number", minimum: 0 };

const schema = {
  type: "object",
  required: ["_aws"],
  properties: {
    _aws: {
      type: "object",
      additionalProperties: false,
      required: ["Timestamp", "CloudWatchMetrics"],
      properties: {
        Timestamp: { type: "integer", minimum: 0 },
        CloudWatchMetrics: {
          type: "array",
          minItems: 1,
          items: {
            type: "object",
            additionalProperties: false,
            required: ["Namespace", "Dimensions", "Metrics"],
            properties: {
              Namespace: { type: "string", minLength: 1, maxLength: 1_024 },
              Dimensions: {
                type: "array",
                minItems: 1,
                items: {
                  type: "array",
                  minItems: 1,
                  maxItems: 30,
                  uniqueItems: true,
                  items: { type: "string", minLength: 1, maxLength: 250 },
                },
              },
              Metrics: {
                type: "array",
                minItems: 1,
                maxItems: 100,
                items: {
                  type: "object",
                  additionalProperties: false,
                  required: ["Name", "Unit", "StorageResolution"],
                  properties: {
                    Name: { type: "string", minLength: 1, maxLength: 1_024 },
                    Unit: { enum: units },
                    StorageResolution: { enum: [1, 60] },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
  additionalProperties: {
    anyOf: [
      { type: "string", minLength: 1, maxLength: 1_024 },
      number,
      {
        type: "object",
        additionalProperties: false,
        required: ["Values", "Counts"],
        properties: {
          Values: { type: "array", minItems: 1, maxItems: 100, items: number },
          Counts: { type: "array", minItems: 1, maxItems: 100, items: { type: "integer", minimum: 1 } },
        },
      },
    ],
  },
};

const validate = new Ajv({ allErrors: true, strict: false }).compile(schema);

/** Docker cuts a log line here. Unit: bytes. */
const dockerLineBytes = 16_384;

/** What is wrong with a line, in words; empty: CloudWatch takes it. */
export function emfProblems(text: string): string[] {
  const line: Line = JSON.parse(text);
  const problems = validate(line)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
  if (Buffer.byteLength(text) >= dockerLineBytes) problems.push(`${Buffer.byteLength(text)} bytes`);
  for (const { Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
    for (const dimension of Dimensions.flat()) {
      if (typeof line[dimension] !== "string") problems.push(`dimension ${dimension} is no text`);
    }
    for (const { Name } of Metrics) {
      const value = line[Name];
      if (typeof value === "number") continue;
      const { Values, Counts } = (value ?? {}) as { Values?: unknown[]; Counts?: unknown[] };
      if (!Values || Values.length !== Counts?.length)
        problems.push(`metric ${Name} has no value, or not as many counts`);
    }
  }
  return problems;
}
