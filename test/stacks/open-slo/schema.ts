/** The OpenSLO v1 specification as a JSON schema, written from its README (OpenSLO/OpenSLO, read 2026-11) and from nothing of ours. */

const text = { type: "string" };
const description = { type: "string", maxLength: 1_050 };
const duration = { type: "string", pattern: "^[1-9][0-9]*[mhdwMQY]$|^0m$" };
const strict = (properties: Record<string, unknown>, required: readonly string[]) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

const metadata = strict(
  {
    name: { type: "string", pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" },
    displayName: text,
    labels: { type: "object" },
    annotations: {
      type: "object",
      additionalProperties: text,
      propertyNames: { pattern: "^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$" },
    },
  },
  ["name"],
);

const metric = strict(
  { metricSource: strict({ metricSourceRef: text, type: text, spec: { type: "object" } }, ["spec"]) },
  ["metricSource"],
);
const sliSpec = {
  oneOf: [
    strict({ description, thresholdMetric: metric }, ["thresholdMetric"]),
    strict(
      {
        description,
        ratioMetric: {
          oneOf: [
            strict({ counter: { type: "boolean" }, good: metric, total: metric }, ["counter", "good", "total"]),
            strict({ counter: { type: "boolean" }, bad: metric, total: metric }, ["counter", "bad", "total"]),
          ],
        },
      },
      ["ratioMetric"],
    ),
  ],
};

const conditionSpec = strict(
  {
    description,
    severity: text,
    condition: strict(
      {
        kind: { const: "burnrate" },
        op: { enum: ["lte", "gte", "lt", "gt"] },
        threshold: { type: "number" },
        lookbackWindow: duration,
        alertAfter: duration,
      },
      ["op", "threshold", "lookbackWindow"],
    ),
  },
  ["severity", "condition"],
);
const inline = (kind: string, spec: unknown) => strict({ kind: { const: kind }, metadata, spec }, ["metadata", "spec"]);
const targetSpec = strict({ description, target: text }, ["target"]);
const policySpec = strict(
  {
    description,
    alertWhenNoData: { type: "boolean" },
    alertWhenResolved: { type: "boolean" },
    alertWhenBreaching: { type: "boolean" },
    conditions: {
      type: "array",
      minItems: 1,
      maxItems: 1,
      items: { oneOf: [strict({ conditionRef: text }, ["conditionRef"]), inline("AlertCondition", conditionSpec)] },
    },
    notificationTargets: {
      type: "array",
      minItems: 1,
      items: { oneOf: [strict({ targetRef: text }, ["targetRef"]), inline("AlertNotificationTarget", targetSpec)] },
    },
  },
  ["conditions", "notificationTargets"],
);
const sloSpec = strict(
  {
    description,
    service: text,
    indicator: strict({ metadata, spec: sliSpec }, ["metadata", "spec"]),
    indicatorRef: text,
    timeWindow: {
      type: "array",
      minItems: 1,
      maxItems: 1,
      items: strict({ duration, isRolling: { const: true } }, ["duration", "isRolling"]),
    },
    budgetingMethod: { enum: ["Occurrences", "Timeslices", "RatioTimeslices"] },
    objectives: {
      type: "array",
      minItems: 1,
      items: strict(
        {
          displayName: text,
          op: { enum: ["lte", "gte", "lt", "gt"] },
          value: { type: "number" },
          target: { type: "number", minimum: 0, exclusiveMaximum: 1 },
          targetPercent: { type: "number", minimum: 0, exclusiveMaximum: 100 },
        },
        [],
      ),
    },
    alertPolicies: {
      type: "array",
      items: { oneOf: [strict({ alertPolicyRef: text }, ["alertPolicyRef"]), inline("AlertPolicy", policySpec)] },
    },
  },
  ["service", "budgetingMethod", "objectives"],
);

const document = (kind: string, spec: unknown) =>
  strict({ apiVersion: { const: "openslo/v1" }, kind: { const: kind }, metadata, spec }, [
    "apiVersion",
    "kind",
    "metadata",
    "spec",
  ]);

/** One document of the kinds that an export has. */
export const openSloSchema = {
  oneOf: [
    document("Service", strict({ description }, [])),
    document("SLO", sloSpec),
    document("AlertNotificationTarget", targetSpec),
  ],
};
