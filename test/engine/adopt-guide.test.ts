/**
 * `docs/guide/adopt.md`, followed word for word: its commands in bash, in order, with the real Pulumi engine and AWS CLI against emulators.
 * What AWS would do about what Pulumi made, and the passing minutes, happen between the blocks. Only the values that the guide tells its
 * reader to replace are replaced. Runs within `npm run test:aws` where `pulumi` is on PATH.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGuide } from "../docs/guide-pages.ts";
import { AwsBehind } from "./aws-behind.ts";
import { allRules, buildEstate, dumpEstate, type ForeignEstate } from "./foreign-estate.ts";
import { engineOnPath, type ProviderCall } from "./harness.ts";
import { destinations } from "./request-oracle.ts";

const region = "ca-central-1";
const root = fileURLToPath(new URL("../../", import.meta.url));
const guide = readGuide("adopt");

/** A reader's machine: one shell whose folder and variables last from block to block. */
class Reader {
  readonly folder = mkdtempSync(join(tmpdir(), "tidegate-guide-"));
  readonly log = join(this.folder, "provider-calls.jsonl");
  private readonly state = join(this.folder, "state.sh");

  constructor(private readonly variables: Readonly<Record<string, string>>) {
    symlinkSync(root, join(this.folder, "tidegate"));
    mkdirSync(join(this.folder, "backend"));
    writeFileSync(this.state, `cd '${this.folder}'\n`);
  }

  /** @returns what the block printed, both streams */
  run(commands: string): string {
    const keep = `{ export -p; printf 'cd %q\\n' "$PWD"; } > '${this.state}'`;
    const run = spawnSync("bash", ["-eu", "-o", "pipefail"], {
      input: `exec 2>&1\nsource '${this.state}'\n${commands}\n${keep}\n`,
      encoding: "utf8",
      timeout: 240_000,
      cwd: this.folder,
      env: this.environment(),
    });
    if (run.status === 0) return run.stdout;
    throw new Error(`bash: exit ${run.status}\n${commands}\n${run.stdout}\n${run.error?.message ?? ""}`);
  }

  private environment(): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(AWS|PULUMI|STAND_IN|VITEST|NODE_OPTIONS|TIDEGATE)/.test(name),
    );
    return {
      ...Object.fromEntries(inherited),
      ...this.variables,
      PATH: `${join(root, "test/engine/bin")}:${process.env.PATH}`,
      AWS_PAGER: "",
      NO_COLOR: "1",
      npm_config_audit: "false",
      npm_config_fund: "false",
      npm_config_update_notifier: "false",
      PULUMI_HOME: join(this.folder, "home"),
      PULUMI_BACKEND_URL: `file://${join(this.folder, "backend")}`,
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      STAND_IN_LOG: this.log,
      STAND_IN_ELBV2_ENDPOINT: this.variables.AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2,
      STAND_IN_LAMBDA_MODULE: join(root, "test/engine/hook-module.ts"),
    };
  }

  /** The provider's calls since the last time. */
  calls(): ProviderCall[] {
    if (!existsSync(this.log)) return [];
    const lines = readFileSync(this.log, "utf8").split("\n").filter(Boolean);
    rmSync(this.log);
    return lines.map((line): ProviderCall => JSON.parse(line));
  }
}

/** The lines of the first block, with this estate's values in place of the guide's. */
function forHere(block: string, values: Readonly<Record<string, string>>): string {
  const names: string[] = [];
  const text = block.replace(/^export (\w+)=(.*)$/gm, (_line, name: string) => {
    names.push(name);
    return `export ${name}='${values[name]}'`;
  });
  expect(names).toEqual(Object.keys(values));
  return text;
}

describe.skipIf(!engineOnPath())("the adoption guide", { timeout: 1_500_000 }, () => {
  let estate: ForeignEstate;
  let reader: Reader;
  let aws: AwsBehind;
  let before: Awaited<ReturnType<typeof dumpEstate>>;
  const checkout = { host: "shop.example.com", path: "/checkout/1" };

  beforeAll(async () => {
    estate = await buildEstate("guide", region);
    before = await dumpEstate(estate);
    aws = new AwsBehind("production", region);
    reader = new Reader(aws.variables);
  }, 60_000);
  afterAll(async () => {
    rmSync(reader.folder, { recursive: true, force: true });
    await aws.removeTable();
  });

  it("leads from an untouched load balancer to a finished rollout and out again, word for word [E7]", async () => {
    const [first, ...steps] = guide.steps;
    const values = {
      AWS_REGION: region,
      RULE: estate.rules[200] ?? "",
      NOW: "2.3.1",
      NEXT: "2.4.0",
      NEXT_GROUP: "guide-checkout-green",
      EMAIL: "shop-on-call@example.com",
    };
    reader.run(forHere(first?.commands ?? "", values));
    const { "checkout-blue": blue, "checkout-green": green } = estate.groups;
    const served: string[] = [];
    const unseen: string[] = [];
    for (const { section, commands, seen } of steps) {
      if (commands.includes("pulumi up") && !aws.hasTable) await aws.makeTable();
      const printed = reader.run(commands);
      const missing = seen.filter((line) => !printed.includes(line.trim()));
      if (missing.length > 0) unseen.push(`${section}: ${missing.join(" / ")}, got:\n${printed}`);
      await aws.apply(reader.calls());
      if (aws.hasHook) await aws.minute();
      const rules = await allRules(new ElasticLoadBalancingV2Client({ region }), estate.listenerArn);
      const name = (arn: string) => (arn === blue ? "blue" : arn === green ? "green" : arn);
      const now = destinations(rules, checkout).map(name).sort().join("+");
      if (served.at(-1) !== now) served.push(now);
    }
    expect(unseen.join("\n\n")).toBe("");
    expect(served).toEqual(["blue", "blue+green", "blue", "blue+green", "green"]);

    const after = await dumpEstate(estate);
    expect(after.ours).toEqual([]);
    // What the reader changed on purpose, and nothing else.
    const changed = before.theirs.rules.map((rule) =>
      rule.RuleArn === values.RULE ? { ...rule, Actions: [{ Type: "forward", TargetGroupArn: green }] } : rule,
    );
    expect(after.theirs).toEqual({ ...before.theirs, rules: changed });
  });
});
