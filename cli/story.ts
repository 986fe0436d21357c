/** `npm start`: the newcomer's first minute. One healthy release through all its waves, then a bad one, on the dev stack. */
import { styleText } from "node:util";
import { builtInScenarios, rehearse } from "../rehearsal/index.ts";
import type { Surroundings } from "./command.ts";
import { readStack } from "./rehearse.ts";
import { columns, grouped, renderTimeline, wrap } from "./render.ts";

export async function storyCommand(surroundings: Surroundings): Promise<void> {
  const { out, colours } = surroundings;
  const say = (text: string) => {
    for (const line of wrap(text, columns)) out(line);
  };
  const heading = (text: string) => {
    out("");
    out(colours ? styleText("bold", text, { validateStream: false }) : text);
  };
  const config = readStack("dev", surroundings.directory);
  const common = { config, stack: "dev", seed: 1 };

  heading("Tidegate lets a new release in wave by wave, and shuts by itself when the release is bad.");
  say(
    "This is a rehearsal: the real program, guard and hook run here on a small model of AWS, in virtual time, with made-up traffic. " +
      "Nothing is sent anywhere. The columns: clock (UTC), time since the start, the new release's share of the traffic, what happened.",
  );

  heading("1. A healthy release: each wave is one line of config and one `pulumi up`");
  const healthy = await rehearse({ ...common, scenario: builtInScenarios.healthy });
  const healthyStart = Date.parse(healthy.timeline[0]?.at ?? "");
  for (const line of renderTimeline(healthy.timeline, healthyStart, surroundings)) out(line);

  heading("2. A bad release: it fails requests at twice the rate that the service allows");
  const bad = await rehearse({ ...common, scenario: builtInScenarios["error-spike"] });
  const badStart = Date.parse(bad.timeline[0]?.at ?? "");
  for (const line of renderTimeline(bad.timeline, badStart, surroundings)) out(line);

  heading("What it comes to");
  const seconds = bad.secondsFaultToZero;
  out(`  from the fault to zero exposure           ${seconds === null ? "–" : `${Math.round(seconds)} s`}`);
  out(`  bad requests served                       ${grouped(bad.badRequests)}`);
  out(
    `  the same with the hook off                ${bad.badRequestsWithoutHook === null ? "–" : grouped(bad.badRequestsWithoutHook)}`,
  );
  out("");
  say(
    "`npx tidegate rehearse --help` lists other scenarios, your own traffic, and JSON. The README says what a rehearsal does not prove.",
  );
}
