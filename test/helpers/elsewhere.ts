/** A service in a migration with two live releases, as a system that watches elsewhere is told of it. */
import type { ReleaseElsewhere } from "../../components/index.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";

export const oldElsewhere: ReleaseElsewhere = { digest: "sha256:a", releaseKey: "2-3-1-a", version: "2.3.1" };
export const canaryElsewhere: ReleaseElsewhere = {
  digest: "sha256:b",
  releaseKey: "2-4-0-b",
  version: "2.4.0",
  canary: { plan: planPresets.migration, exposurePercent: 25, figures: [] },
  comparedWith: "2-3-1-a",
};

export const serviceElsewhere = {
  environment: "dev",
  service: "checkout",
  objectives: objectivePresets.migration,
  releases: [oldElsewhere, canaryElsewhere],
  runbookBase: "https://wiki.example.com/runbooks",
};
