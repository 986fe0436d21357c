import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { runCommand } from "../../cli/command.ts";
import { readPlace } from "../../cli/place.ts";
import { Operator, stacksOf } from "./operator.ts";

const dev = parse(readFileSync(fileURLToPath(new URL("../../Pulumi.dev.yaml", import.meta.url)), "utf8")).config;
const { "tidegate:services": services, "tidegate:network": network, "tidegate:alerting": alerting, ...place } = dev;
const base = stringify({ config: { ...place, "tidegate:network": network, "tidegate:alerting": alerting } });
const shop = stringify({
  config: { ...place, "tidegate:foundation": "acme/tidegate/base", "tidegate:services": services },
});

async function rehearse(stacks: Readonly<Record<string, string>>) {
  const directory = mkdtempSync(join(tmpdir(), "tidegate-"));
  for (const [stack, text] of Object.entries(stacks)) writeFileSync(join(directory, `Pulumi.${stack}.yaml`), text);
  const out: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(["rehearse", "--stack", "shop", "--scenario", "error-spike", "--json"], {
    out: (text) => out.push(text),
    error: (text) => errors.push(text),
    directory,
    colours: false,
  });
  return { code, out: out.join("\n"), errors: errors.join("\n"), directory };
}

describe("the commands on a service stack", { timeout: 60_000 }, () => {
  it("rehearse it with the foundation whose file lies beside, as one environment [E3, E7]", async () => {
    const { code, out, errors } = await rehearse({ base, shop });
    expect(errors).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ stack: "shop", service: "checkout", outcome: "rolled-back" });
  });

  it("refuse to rehearse it without that file, with the way out [E7, B11]", async () => {
    const { code, errors } = await rehearse({ shop });
    expect(code).not.toBe(0);
    expect(errors).toContain(
      "Pulumi.shop.yaml: tidegate:foundation: its stack has no file here, got acme/tidegate/base; expected Pulumi.base.yaml beside it, which says region and network. Copy it here",
    );
  });

  it("find its place in its own file, and the listener in the foundation's where that is there [B4, E7]", async () => {
    const listenerArn =
      "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2";
    const own = "config:\n  aws:region: eu-west-1\n  tidegate:environment: production\n";
    const stacks = stacksOf({
      base: `${own}  tidegate:network: { listenerArn: "${listenerArn}" }\n`,
      shop: `${own}  tidegate:foundation: acme/tidegate/base\n`,
      lone: `${own}  tidegate:foundation: gone\n`,
    });
    const placeOf = async (stack: string) => {
      const problems: string[] = [];
      return (await readPlace({ stack }, stacks, new Operator().outside(), problems)) ?? problems;
    };
    const found = { environment: "production", region: "eu-west-1" };
    expect(await placeOf("shop")).toEqual({ ...found, listener: { arn: listenerArn } });
    expect(await placeOf("lone")).toEqual({ ...found, listener: { loadBalancerName: "tidegate-production" } });
  });
});
