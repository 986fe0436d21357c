/**
 * A rollback at 100 % in virtual time, with autoscalers that follow load: the program, its guard and its hook as in earnest, and processes that
 * know nothing of a rollout but the floor that the program declared.
 */
import { describe, expect, it } from "vitest";
import { makeLocalCloud } from "../../rehearsal/cloud/local-cloud.ts";
import type { Capture } from "../../rehearsal/engine/capture.ts";
import { rehearse, rehearseInFull } from "../../rehearsal/index.ts";
import { rehearsalConfig } from "../../rehearsal/run/table-config.ts";
import { parseScenario } from "../../rehearsal/scenario-file.ts";
import { processesType } from "../../rehearsal/workloads/declare.ts";
import type { EnvironmentConfig } from "../../stacks/config.ts";
import { aWorkload } from "../helpers/scaling-world.ts";

const { shape } = aWorkload(2, 40);
const [service] = rehearsalConfig.services;
if (!service?.canary) throw new Error("no service with a canary");
const { baseline, canary } = service;
const config: EnvironmentConfig = {
  ...rehearsalConfig,
  services: [
    {
      ...service,
      workload: { kind: "kubernetes", shape, cluster: { eksName: "shop" }, namespace: "shop", runAsUserId: 10_001 },
    },
  ],
};

/** Twenty minutes at 100 %: an idle baseline is long gone by then. */
const scenario = parseScenario(
  { name: "late", faults: [{ kind: "error-spike", at: { wave: 100, after: "20m" }, times: 10 }] },
  "here",
);

interface Seen {
  readonly share: number;
  readonly by: string;
  readonly baseline: number;
  readonly canary: number;
}

/** Hosts of both releases at every move of weights. */
async function rolledBackAt100(alterCapture: (capture: Capture) => Capture): Promise<Seen[]> {
  const seen: Seen[] = [];
  const { report } = await rehearseInFull(
    { config, stack: "dev", scenario, aftermath: false, compareWithoutHook: false, overrideReason: "only time is" },
    (given) => {
      const cloud = makeLocalCloud(given, { alterCapture });
      cloud.onEvent((event) => {
        if (event.kind !== "weights") return;
        const share = event.shares[canary?.digest ?? ""] ?? 0;
        const hosts = { baseline: cloud.hosts(baseline.digest), canary: cloud.hosts(canary?.digest ?? "") };
        seen.push({ share, by: event.by, ...hosts });
      });
      return cloud;
    },
  );
  expect(report.outcome).toBe("rolled-back");
  return seen;
}

/** Without the baseline's floor from the `up` on that gives the canary everything. */
function unpinned(capture: Capture): Capture {
  const isLast = capture.resources.some(
    ({ type, inputs }) =>
      type === "tidegate:traffic:WaveRouter" && Reflect.get(Object(inputs.shares), canary?.digest ?? "") === 100,
  );
  if (!isLast) return capture;
  return {
    ...capture,
    resources: capture.resources.map((resource) =>
      resource.type === processesType && String(resource.inputs.release).startsWith("2-3-1-")
        ? { ...resource, inputs: { ...resource.inputs, minimumCount: shape.minimumCount } }
        : resource,
    ),
  };
}

/** What the hook's write finds, and what there was before the canary had any traffic. */
function rollbackIn(seen: readonly Seen[]): { readonly rollback: Seen | undefined; readonly before: Seen | undefined } {
  expect(seen.map(({ share, by }) => [share, by])).toEqual([
    [0, "up"],
    [5, "up"],
    [25, "up"],
    [100, "up"],
    [0, "hook"],
  ]);
  return { rollback: seen[4], before: seen[1] };
}

describe("a rollback at 100 % with autoscalers that follow load", { timeout: 60_000 }, () => {
  it("lands on a baseline as large as it was before the canary had any traffic [B12, E6]", async () => {
    const { rollback, before } = rollbackIn(await rolledBackAt100((capture) => capture));
    expect([before?.baseline, rollback?.baseline]).toEqual([10, 10]);
  });

  it("lands on one that is too small where its floor is taken away: the floor is what kept it [B12]", async () => {
    const { rollback, before } = rollbackIn(await rolledBackAt100(unpinned));
    expect([before?.baseline, rollback?.baseline]).toEqual([10, shape.minimumCount]);
  });

  it("finds a canary as large as its share before each wave, without load that asks for it [B12]", async () => {
    const seen = await rolledBackAt100((capture) => capture);
    expect(seen.slice(1, 4).map(({ share, canary: hosts }) => [share, hosts])).toEqual([
      [5, 2],
      [25, 3],
      [100, 10],
    ]);
  });
});

describe("a whole rollout with a workload", { timeout: 60_000 }, () => {
  it("finishes, and says what of it is not modelled [E6]", async () => {
    const healthy = { ...scenario, name: "healthy", faults: [] };
    const report = await rehearse({
      config,
      stack: "dev",
      scenario: healthy,
      compareWithoutHook: false,
      overrideReason: "only time is",
    });
    expect(report.outcome).toBe("completed");
    expect(report.notModelled).toBe(
      "what runs behind the releases is rehearsed as processes that follow load between the program's own floor and ceiling; objects of kubernetes, their probes and how a process stops are not modelled",
    );
  });
});
