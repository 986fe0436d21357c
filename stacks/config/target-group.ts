/** How the target groups look that the program makes; adopted ones keep their own settings. */
import { z } from "zod";
import type { TargetGroupConfig } from "./model.ts";
import { checkFields, leaf, type Path, type Problems, text, unknownWord, wholeNumber, word } from "./problems.ts";

const targetType = leaf(z.enum(["ip", "instance"]), (value) =>
  value === "lambda" || value === "alb"
    ? { wrong: "not supported yet", expected: "ip or instance" }
    : unknownWord(String(value), ["ip", "instance"], "unknown target type"),
);
const slowStart = leaf(
  z
    .number()
    .int()
    .refine((seconds) => seconds === 0 || (seconds >= 30 && seconds <= 900)),
  { wrong: "must be a whole number of seconds that ELBv2 allows", expected: "0 (off) or 30 to 900" },
);

/** Ranges: ELBv2 CreateTargetGroup and target group attributes, read 2026-11. */
const targetGroupFields = {
  port: wholeNumber(1, 65_535).optional(),
  protocol: word(["HTTP", "HTTPS"]).optional(),
  targetType: targetType.optional(),
  healthCheckPath: text(/^\/[\x21-\x7e]{0,1023}$/, {
    wrong: "not a path",
    expected: `a path starting with "/", at most 1024 characters`,
  }).optional(),
  healthCheckIntervalSeconds: wholeNumber(5, 300, "seconds").optional(),
  healthCheckTimeoutSeconds: wholeNumber(2, 120, "seconds").optional(),
  healthyThresholdCount: wholeNumber(2, 10, "checks").optional(),
  unhealthyThresholdCount: wholeNumber(2, 10, "checks").optional(),
  slowStartSeconds: slowStart.optional(),
  deregistrationDelaySeconds: wholeNumber(0, 3_600, "seconds").optional(),
};

/** A dead target is out after 20 s, a new one in after 20 s; draining as ELBv2 has it. */
const defaultTargetGroup: TargetGroupConfig = {
  port: 8080,
  protocol: "HTTP",
  targetType: "ip",
  healthCheckPath: "/",
  healthCheckIntervalSeconds: 10,
  healthCheckTimeoutSeconds: 5,
  healthyThresholdCount: 2,
  unhealthyThresholdCount: 2,
  slowStartSeconds: 0,
  deregistrationDelaySeconds: 300,
};

/** Reads the settings and fills in the defaults. */
export function readTargetGroup(raw: unknown, path: Path, problems: Problems): TargetGroupConfig {
  const written = raw === undefined ? {} : checkFields(targetGroupFields, raw, path, problems);
  const given = Object.entries(written).filter(([, value]) => value !== undefined);
  const group: TargetGroupConfig = { ...defaultTargetGroup, ...Object.fromEntries(given) };
  if (group.healthCheckTimeoutSeconds >= group.healthCheckIntervalSeconds) {
    problems.add(
      [...path, "healthCheckTimeoutSeconds"],
      { wrong: "must be shorter than the interval", expected: `less than ${group.healthCheckIntervalSeconds} seconds` },
      group.healthCheckTimeoutSeconds,
    );
  }
  return group;
}
