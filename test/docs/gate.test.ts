/** The examples of the guide on sign-offs, checks and freezes are read by the code that they are about (C3, E5). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readCheckResult } from "../../core/gate/check-result.ts";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService } from "../stacks/config-builders.ts";

const page = readFileSync("docs/guide/gate.md", "utf8");
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);

function readBlock(text: string) {
  const { "tidegate:services": services, ...rest } = parse(text);
  const own = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key.replace("tidegate:", ""), value]));
  return parseConfig(aConfig(own, { checkout: aService({ plan: "steady", ...services?.checkout }) }), {
    folder: "/stack",
  });
}

describe("the guide to the gate", () => {
  it("shows config that is read as the text around it says [C3, E5]", () => {
    const [signing, checking, freezing, ...more] = blocks("yaml").map(readBlock);
    expect(more).toEqual([]);
    expect(signing?.services[0]?.plan.waves.map(({ approvals }) => approvals)).toEqual([
      undefined,
      ["sre"],
      ["sre", "product"],
      undefined,
    ]);
    expect(signing?.services[0]?.approvals).toEqual([
      { wavePercent: 25, role: "sre", by: "<name>", at: Date.UTC(2026, 10, 22, 10), version: "2.4.0", attempt: 1 },
    ]);
    expect(checking?.services[0]?.checks).toMatchObject([
      { name: "smoke", path: "/stack/results/smoke.json", wavePercents: [10], maximumAgeMinutes: 1_440 },
    ]);
    expect(freezing?.freezes?.map(({ name }) => name)).toEqual(["weekend", "year end"]);
  });

  it("shows a handleSummary whose file is a result [E5]", () => {
    const [script = ""] = blocks("js");
    const summarize = new Function("__ENV", `${script.replace("export ", "")}; return handleSummary;`)({
      RELEASE: "2.4.0",
    });
    const data = { metrics: { http_reqs: { thresholds: { "rate>1": { ok: true } } } }, root_group: { checks: [] } };
    const written: string = summarize(data)["results/smoke.json"];
    expect(readCheckResult("smoke", JSON.parse(written))).toMatchObject({
      version: "2.4.0",
      isPassed: true,
      failed: [],
    });
    const [own = ""] = blocks("json");
    expect(readCheckResult("smoke", JSON.parse(own))).toMatchObject({ isPassed: false, failed: ["home page"] });
  });
});
