/** `tidegate checklist` on a deployed service in memory, and the same list folded into a pull request's comment (C4). */
import { describe, expect, it } from "vitest";
import { checklistCommand } from "../../cli/checklist.ts";
import type { World } from "../helpers/world.ts";
import { Operator } from "./operator.ts";
import { releasedWorld } from "./stack-at.ts";

async function asked(flags: Parameters<typeof checklistCommand>[0] = {}, change: (world: World) => unknown = () => {}) {
  const { world, directory } = await releasedWorld(10);
  await change(world);
  const out: string[] = [];
  const outside = new Operator(world).outside();
  const surroundings = { out: (text: string) => out.push(text), error: () => {}, directory, colours: false, outside };
  const writes = world.cloud.recordWrites.length + world.cloud.ruleWrites.length;
  await checklistCommand({ stack: "dev", ...flags }, surroundings, {
    surveyor: { survey: async (query) => world.survey(query) },
  });
  expect(world.cloud.recordWrites.length + world.cloud.ruleWrites.length).toBe(writes);
  return out.join("\n");
}

describe("tidegate checklist", () => {
  it("prints Markdown ticked by record, file and gate, and changes nothing [C4]", async () => {
    const lines = (await asked()).split("\n");
    expect(lines[0]).toBe("## Checklist: `checkout` `2.0.0` in `dev`, attempt 1");
    expect(lines[2]).toMatch(
      /^\d+ of \d+ ticked by what is measured or written down, \d+ not, \d+ for a person to tick\.$/,
    );
    expect(lines.filter((line) => line.startsWith("### "))).toEqual([
      "### Before the release",
      "### Wave 10 %",
      "### Wave 25 %",
      "### Wave 100 %",
      "### Afterwards",
    ]);
    expect(lines).toContain("- [x] Somebody on call is paged");
    expect(lines).toContain("- [ ] Critical alerts and warnings reach a channel: alerting has no slack");
    expect(lines).toContain("- [x] It is open (the record says 10 %)");
    expect(lines.find((line) => line.includes("Its soak of 10 min is served"))).toMatch(/^- \[x\] /);
    expect(lines).toContain("- [ ] It is open: the record says 10 %");
    expect(lines).toContain("- [ ] Logs and dashboards were looked through for anything new *(a person ticks this)*");
  });

  it("says in JSON the same, item by item [C4]", async () => {
    const said = JSON.parse(await asked({ json: true, service: "checkout" }, (world) => world.pause()));
    expect(Object.keys(said)).toEqual(["stack", "services"]);
    const [service] = said.services;
    expect(service).toMatchObject({ service: "checkout", environment: "dev", version: "2.0.0", attempt: 1 });
    expect(service.sections[0].items).toContainEqual({
      text: "Nothing holds or pauses it",
      state: "open",
      note: "paused by an SRE",
    });
    expect(service.markdown.split("\n")[0]).toBe("## Checklist: `checkout` `2.0.0` in `dev`, attempt 1");
  });

  it("leaves open what a record would tell where none can be read [C4]", async () => {
    const out = await asked({}, (world) => {
      world.cloud.recordFailure = new Error("throttled");
    });
    expect(out).toContain("- [ ] It is open: there is no record yet, or it was not read");
    expect(out).not.toContain("- [x] It is open");
  });

  it("wants a stack", async () => {
    expect(await new Operator().run("checklist")).toMatchObject({ code: 2 });
  });
});
