/**
 * One run of a program in a process of its own: `ours <services>`, `bare <file>` or `spared <file>`, under Pulumi's mocks, which answer at once. Prints one
 * line of JSON: what it took, and how many resources there were of each type.
 */
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { answers, type ProgramRun, project } from "./mocks.ts";

const [kind = "", argument = ""] = process.argv.slice(2);
const counted: Record<string, number> = {};

await pulumi.runtime.setMocks(answers(counted), project.name, project.stack, false, project.organization);
// As our program does while it declares; see `stacks/program.ts`.
if (kind === "spared") Error.stackTraceLimit = 1;
const program =
  kind === "ours"
    ? (await import("./ours.ts")).ours(Number(argument))
    : (await import("./bare.ts")).bare(JSON.parse(readFileSync(argument, "utf8")));
await pulumi.runtime.runInPulumiStack(program);
const waitForRPCs: unknown = Reflect.get(pulumi.runtime, "waitForRPCs");
if (typeof waitForRPCs !== "function") throw new Error("@pulumi/pulumi has no waitForRPCs; this needs 3.248");
await waitForRPCs();

const { user, system } = process.cpuUsage();
const run: ProgramRun = {
  wallSeconds: process.uptime(),
  cpuSeconds: (user + system) / 1e6,
  peakMegabytes: process.resourceUsage().maxRSS / 1_000,
  resources: counted,
};
console.log(JSON.stringify(run));
