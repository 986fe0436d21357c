/** Which target groups a dashboard shows of a service: its own, and none of a service whose name begins like its (D2). */
import { describe, expect, it } from "vitest";
import { controlGroupLogicalName, releaseKey, targetGroupLogicalName } from "../../../core/naming.ts";
import { grafanaDashboards } from "../../../infra/grafana/dashboards.ts";

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string; readonly regex?: string }[] };
}

const digest = "sha256:1";

/** Dimension of a group that the program makes. */
function made(service: string, version: string, role: "release" | "control" = "release"): string {
  const key = releaseKey({ version, digest });
  const name = role === "control" ? controlGroupLogicalName(service, key) : targetGroupLogicalName(service, key);
  return `targetgroup/${name}-1a2b3c4/0123456789abcdef`;
}

async function shows(): Promise<(service: string, group: string) => boolean> {
  const dashboards = await grafanaDashboards({
    environment: "dev",
    region: "eu-west-1",
    runbookBase: "docs/runbooks",
    url: "https://grafana.example.com",
    cloudWatchUid: "cloudwatch",
    services: [],
  });
  const [regex, ...others] = new Set(
    Object.values(dashboards).flatMap((text) =>
      (JSON.parse(text) as Dashboard).templating.list
        .filter(({ name }) => name === "target_group")
        .map((variable) => variable.regex ?? ""),
    ),
  );
  expect(others).toEqual([]);
  const [, pattern] = /^\/(.*)\/$/.exec(regex ?? "") ?? [];
  if (pattern === undefined) throw new Error(`no regular expression: ${regex}`);
  // As Grafana does: the variable's value, then the expression.
  return (service, group) => new RegExp(pattern.replace("$service", service)).test(group);
}

describe("target groups of a service on a dashboard", () => {
  it("are those of its releases and of its control, whatever was cut off [D2]", async () => {
    const isShown = await shows();
    for (const version of ["2.4.0", "v7", "2026-11-21", "a1b2c3d", "2"]) {
      expect([version, isShown("shop", made("shop", version))]).toEqual([version, true]);
    }
    expect(isShown("shop", made("shop", "2.4.0", "control"))).toBe(true);
    for (const service of ["twelve-chars", "thirteen-char", "fourteen-chars", "fifteen-charact"]) {
      expect([service, isShown(service, made(service, "v2.4.0"))]).toEqual([service, true]);
    }
  });

  it("are none of a service whose name begins like its [D2]", async () => {
    const isShown = await shows();
    for (const other of ["shop-admin", "shop-admin-api", "shop-administration", "shopping"]) {
      expect([other, isShown("shop", made(other, "2.4.0"))]).toEqual([other, false]);
      expect([other, isShown("shop", made(other, "2.4.0", "control"))]).toEqual([other, false]);
    }
    expect(isShown("shop-admin", made("shop-admin", "2.4.0"))).toBe(true);
  });

  it("are not found where the name does not tell: no digit in the version's first word, or a service of over 15 characters", async () => {
    const isShown = await shows();
    expect(isShown("shop", made("shop", "main"))).toBe(false);
    expect(isShown("customer-accounts", made("customer-accounts", "2.4.0"))).toBe(false);
  });
});
