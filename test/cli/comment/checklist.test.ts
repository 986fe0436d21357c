/** Which releases of a comment have a checklist, and how it is folded away (C4). */
import { describe, expect, it } from "vitest";
import { checklistsFor } from "../../../cli/comment/checklist.ts";
import type { RecordOfService, RecordReading } from "../../../cli/comment/record.ts";
import { renderService } from "../../../cli/comment/render-service.ts";
import { servicesIn } from "../../../cli/comment/services.ts";
import { readPreview } from "../../../cli/preview-json.ts";
import { v2, World } from "../../helpers/world.ts";
import { recorded } from "./recorded.ts";

const now = Date.UTC(2026, 0, 5, 10);
const { services } = servicesIn(readPreview(recorded("opening.jsonl")));
const canary = { ...v2, version: services[0]?.canary?.version ?? "" };
const config = new World().configOf({ canary, wavePercent: 25 });

function readingOf(): RecordReading {
  const found = (service: string): RecordOfService => ({
    status: { kind: "unreadable", service, problem: "throttled" },
    findings: [],
    rawLowering: undefined,
    record: undefined,
  });
  return { kind: "read", services: new Map(services.map(({ service }) => [service, found(service)])) };
}

describe("a checklist in a comment", () => {
  it("is there for a release that rolls out, where the record was looked for [C4]", () => {
    const reading = readingOf();
    const checklist = checklistsFor(config, services, reading, now).get("checkout");
    expect(checklist).toMatchObject({ service: "checkout", version: canary.version });
    const [service] = services;
    if (!service) throw new Error("no service");
    const blocks = renderService(service, {
      stack: "dev",
      record: { kind: "not-read", reason: "x" },
      rehearsed: undefined,
      checklist,
    });
    const last = blocks.at(-1);
    expect(last?.rank).toBe(5);
    expect(last?.text).toMatch(/^<details><summary>The release's checklist<\/summary>\n\n\d+ of \d+ ticked/);
    expect(last?.text).toContain("\n#### Wave 10 %\n");
    expect(last?.text.endsWith("</details>")).toBe(true);
  });

  it("is not there without a record, without the stack's file, or for another release [C4]", () => {
    expect(checklistsFor(config, services, { kind: "not-read", reason: "x" }, now).size).toBe(0);
    expect(checklistsFor(undefined, services, readingOf(), now).size).toBe(0);
    const other = new World().configOf({ canary: v2, wavePercent: 25 });
    expect(checklistsFor(other, services, readingOf(), now).size).toBe(0);
  });
});
