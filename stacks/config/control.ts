/** The control: a fresh copy of the baseline at the canary's own weight, on a target group of its own. */
import type { ControlConfig } from "./model.ts";
import { checkFields, type Path, type Problems } from "./problems.ts";
import { targetGroupArn } from "./release.ts";

const controlFields = { targetGroupArn: targetGroupArn.optional() };

/**
 * Reads `control: {}` (the program makes the group) or `control: { targetGroupArn }` (adopted).
 * @returns `undefined` without the key, and after a problem
 */
export function readControl(raw: unknown, path: Path, problems: Problems): ControlConfig | undefined {
  if (raw === undefined) return undefined;
  const before = problems.texts.length;
  const fields = checkFields(controlFields, raw, path, problems);
  if (problems.texts.length > before) return undefined;
  return fields.targetGroupArn === undefined ? {} : { targetGroupArn: fields.targetGroupArn };
}
