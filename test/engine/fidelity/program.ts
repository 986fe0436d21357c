/**
 * Our own program under the real engine, for fidelity: config as Pulumi hands it over; what was decided comes from the rehearsal, in the file
 * that TIDEGATE_FIDELITY names, so that both declare the same moment of a rollout.
 */
import "../../../core/stack-traces.ts";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { stableJson } from "../../../core/stable-json.ts";
import { readStackConfig } from "../../../stacks/config.ts";
import { program } from "../../../stacks/program.ts";
import { rememberingGuards } from "../../helpers/builders.ts";

const bundle = fileURLToPath(new URL("../preview-json/bundle", import.meta.url));

export default async () => {
  const moment = JSON.parse(readFileSync(process.env.TIDEGATE_FIDELITY ?? "", "utf8"));
  const config = readStackConfig();
  if (stableJson(JSON.parse(JSON.stringify(config))) !== stableJson(moment.config)) {
    throw new pulumi.RunError("the engine's config is not the rehearsal's");
  }
  return program({
    config,
    decide: async () => moment.declarations,
    survey: moment.found,
    guards: rememberingGuards().binding,
    hookBundleFolder: bundle,
    watchmanBundleFolder: bundle,
    reportBundleFolder: bundle,
    stackId: moment.stackId,
    accountId: "123456789012",
    isPreview: pulumi.runtime.isDryRun(),
  });
};
