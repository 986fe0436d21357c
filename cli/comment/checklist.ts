/** The checklists of the releases that a comment is about: by the stack's file, the record, and what the preview tells of the gate. */
import { type Checklist, checklistOf } from "../../core/checklist.ts";
import type { Instant } from "../../core/record.ts";
import type { EnvironmentConfig } from "../../stacks/config.ts";
import { checklistConfig } from "../checklist-facts.ts";
import type { RecordReading } from "./record.ts";
import type { PreviewedService } from "./services.ts";

/** @param config absent where the stack's file cannot be read, which the preview has told already */
export function checklistsFor(
  config: EnvironmentConfig | undefined,
  services: readonly PreviewedService[],
  reading: RecordReading,
  now: Instant,
): Map<string, Checklist> {
  const checklists = new Map<string, Checklist>();
  // Without any record most of it would say just that.
  if (reading.kind !== "read") return checklists;
  for (const { service: name, canary, op, notices } of services) {
    const service = config?.services.find((each) => each.name === name);
    // A preview of another state of the file is another release's.
    if (!config || !service?.canary || service.canary.version !== canary?.version || op === "delete") continue;
    const record = reading.services.get(name)?.record;
    checklists.set(
      name,
      checklistOf(checklistConfig(config, service), {
        now,
        ...(record === undefined ? {} : { record }),
        ...(notices.gate === undefined ? {} : { findings: notices.gate.findings }),
      }),
    );
  }
  return checklists;
}
