/**
 * Our own program for the recording of previews: config, decision and resources are the real ones; what is real is a record in memory,
 * where the dev stack's canary has its first wave. What the preview is asked comes by `TIDEGATE_PREVIEW_CASE`.
 */
import "../../../core/stack-traces.ts";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type { Release } from "../../../core/releases.ts";
import { readStackFile } from "../../../stacks/config.ts";
import { decideEnvironment } from "../../../stacks/decide.ts";
import { program } from "../../../stacks/program.ts";
import { rememberingGuards } from "../../helpers/builders.ts";
import { World } from "../../helpers/world.ts";

/** What the config asks for, after what has happened. */
const cases: Readonly<
  Record<string, { readonly wavePercent: number; readonly happens?: (world: World, canary: Release) => Promise<void> }>
> = {
  idle: { wavePercent: 5 },
  opening: { wavePercent: 25 },
  refused: { wavePercent: 100 },
  pinned: {
    wavePercent: 5,
    happens: async (world, canary) => {
      world.alarm(canary, "error-rate/critical", "ALARM");
      await world.reconcile();
    },
  },
};

const bundle = fileURLToPath(new URL("bundle", import.meta.url));

export default async () => {
  const { config } = readStackFile(fileURLToPath(new URL("../../../Pulumi.dev.yaml", import.meta.url)));
  const [service] = config.services;
  const { canary, ...alone } = service ?? fail("the dev stack has no service");
  if (!canary) return fail("the dev stack has no canary");
  const world = await new World({ ...alone, wavePercent: 0 }).rolledOutTo(5, canary);
  const name = process.env.TIDEGATE_PREVIEW_CASE ?? "idle";
  if (name === "broken")
    throw new pulumi.RunError('config "tidegate" has 1 problem (stack dev):\n  services.checkout.wave: missing');
  const { wavePercent, happens } = cases[name] ?? fail(`no case ${name}`);
  await happens?.(world, canary);
  return program({
    config: { ...config, services: [{ ...alone, canary, wavePercent }] },
    decide: (wanted) => decideEnvironment(wanted, world.cloud.ports("preview")),
    guards: rememberingGuards().binding,
    // The same bytes whatever the hook is by now: what the preview says of it is no part of these recordings.
    hookBundleFolder: bundle,
    watchmanBundleFolder: bundle,
    stackId: "organization/tidegate/dev",
    accountId: "123456789012",
    isPreview: pulumi.runtime.isDryRun(),
  });
};

function fail(text: string): never {
  throw new Error(text);
}
