/** `tidegate init`: what it asks, what it writes, what it refuses; an account in memory. The emulators are test/aws/adopt.test.ts. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot, programFiles } from "../../cli/init/files.ts";
import { readStackFile } from "../../stacks/config.ts";
import {
  Account,
  aRule,
  emptyFolder,
  filesIn,
  groupArn,
  host,
  listenerArn,
  Person,
  path,
  ruleArn,
  runInit,
  usualFlags,
} from "./init-estate.ts";

/** A version that YAML would take for a number. */
const flags = { ...usualFlags, baselineVersion: "2.30" };

const stackFile = `# One service behind a load balancer that was there before. Tidegate puts rules of its own in front; every rule, target group and
# target of yours stays as it is, and gets its requests back when the service is retired. Written by npx tidegate init.
config:
  aws:region: eu-west-1
  tidegate:environment: production # part of every physical name; it cannot be changed later
  tidegate:network:
    vpcId: vpc-0f1e2d3c4b5a69788
    listenerArn: ${listenerArn} # HTTPS 443 of shop
  tidegate:alerting:
    email: ["shop-on-call@example.com"] # hears alarms and pages; AWS asks it to confirm
  tidegate:services:
    checkout:
      mode: observe # observe records what it would do and lowers nothing; act does it, once you agree with what is recorded
      match: # the requests of a rule of yours, as found: 200: host shop.example.com and path /checkout/* or /cart/* → checkout-blue
        ruleArn: ${ruleArn(200)}
      priority: 197 # and the two after it; before that rule, and free when this was written
      baseline: # what serves these requests wherever the canary does not
        version: "2.30"
        targetGroupArn: ${groupArn("checkout-blue")}
      canary:
        version: "2.4.0"
        targetGroupArn: ${groupArn("checkout-green")}
      wave: 0 # the line that a release pull request changes: 0, or a wave of the plan
      attempt: 1 # the next one only after a rollback
      plan: steady # steady: waves 10, 25, 50, 100, with a minimum soak each
      objectives: web # what is promised; what source cannot measure of it is named in every preview
      source: alb # alb: the load balancer's own metrics, every minute; nothing to change in the service
`;

describe("init by flags", () => {
  it("writes the stack file of one adopted service, and the program beside it [E7]", async () => {
    const directory = emptyFolder();
    const { out, error, thrown } = await runInit(flags, { directory });
    expect([error, thrown]).toEqual(["", ""]);
    const files = filesIn(directory);
    expect(Object.keys(files)).toEqual(["Pulumi.prod.yaml", "Pulumi.yaml"]);
    expect(files["Pulumi.prod.yaml"]).toBe(stackFile);
    expect(files["Pulumi.yaml"]).toContain(
      "\nmain: node_modules/tidegate/stacks/index.ts # the installed program; what it declares is in Pulumi.<stack>.yaml\n",
    );
    expect(out).toBe(`written: Pulumi.prod.yaml
written: Pulumi.yaml

checkout takes the requests of rule 200: host shop.example.com and path /checkout/* or /cart/* → checkout-blue (HTTPS 443 of shop, account 123456789012, eu-west-1).
All of them keep going to checkout-blue, version 2.30. Tidegate's own rules get priorities 197 to 199; yours stay as they are.

Next:
  npx tidegate rehearse --stack prod
  pulumi stack init prod
  pulumi preview --stack prod
  pulumi up --stack prod
Policies: preview and up take --policy-pack node_modules/tidegate/policies`);
  });

  it("writes a file that the program takes [E7]", async () => {
    const directory = emptyFolder();
    await runInit(flags, { directory });
    const { config } = readStackFile(join(directory, "Pulumi.prod.yaml"));
    expect(config).toMatchObject({ environment: "production", region: "eu-west-1" });
    expect(config.services[0]).toMatchObject({
      name: "checkout",
      mode: "observe",
      routes: [{ match: { ruleArn: ruleArn(200) }, priority: 197 }],
      baseline: { version: "2.30" },
      canary: { version: "2.4.0" },
      wavePercent: 0,
    });
  });

  it("names everything that is missing at once, with its flag [E7, B11]", async () => {
    const account = new Account();
    const { thrown, thrownName } = await runInit({}, { account, variables: { AWS_REGION: "eu-west-1" } });
    expect(thrownName).toBe("BadInputError");
    expect(thrown).toBe(`tidegate init: 7 problems, nothing was written:
  --environment: missing; expected at most 16 characters: lower-case letters, digits and single inner hyphens, starting with a letter, such as production
  --rule: missing; expected priority or ARN of a rule of the listener, or default
    20: host admin.example.com → admin
    200: host shop.example.com and path /checkout/* or /cart/* → checkout-blue
    201: host shop.example.com and path /checkout/pay → payments
    300: path /old/* → redirect
    default: everything else → web
  --service: missing; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter
  --baseline-version: missing; expected 1 to 64 letters, digits, ".", "_", "+" and "-", starting with a letter or digit
  --canary-group: missing; expected the ARN or name of a target group of the same VPC and target type that nothing forwards to, or none
    none: there is none yet
  --email: missing; expected an e-mail address, or none
  --yes: missing; expected it where there is no terminal to ask at. Or look first with --dry-run`);
  });

  it("names the region by its flag where nothing says it, and asks nothing of AWS then [E7]", async () => {
    const { thrown } = await runInit(flags, { variables: {} });
    expect(thrown).toBe(
      "tidegate init: 1 problem, nothing was written:\n  --region: missing; expected a region such as eu-west-1",
    );
  });

  it("wants to be told to write where there is no terminal [E7]", async () => {
    const directory = emptyFolder();
    const { thrown } = await runInit({ ...flags, yes: false }, { directory });
    expect(thrown).toBe(
      "tidegate init: 1 problem, nothing was written:\n  --yes: missing; expected it where there is no terminal to ask at. Or look first with --dry-run",
    );
    expect(filesIn(directory)).toEqual({});
  });

  it("prints one object with --json [E7]", async () => {
    const { out } = await runInit({ ...flags, json: true });
    const { files, ...rest } = JSON.parse(out);
    expect(rest).toEqual({
      command: "init",
      outcome: "written",
      stack: "prod",
      accountId: "123456789012",
      region: "eu-west-1",
      environment: "production",
      foundation: "here",
      service: "checkout",
      listenerArn,
      ruleArn: ruleArn(200),
      priority: 197,
      baselineGroupArn: groupArn("checkout-blue"),
      canaryGroupArn: groupArn("checkout-green"),
      notices: [],
      policyPack: "node_modules/tidegate/policies",
      next: [
        "npx tidegate rehearse --stack prod",
        "pulumi stack init prod",
        "pulumi preview --stack prod",
        "pulumi up --stack prod",
      ],
    });
    expect(files.map(({ name, change }: { name: string; change: string }) => [name, change])).toEqual([
      ["Pulumi.prod.yaml", "new"],
      ["Pulumi.yaml", "new"],
    ]);
  });

  it("takes what no rule takes, behind every rule, and says what that means [E7]", async () => {
    const directory = emptyFolder();
    const { out, thrown } = await runInit(
      { ...flags, rule: "default", service: "web", canaryGroup: "none", canaryVersion: undefined },
      { directory },
    );
    expect(thrown).toBe("");
    const text = filesIn(directory)["Pulumi.prod.yaml"] ?? "";
    expect(text).toContain(
      `      match: # everything that no rule of the listener takes\n        paths: ["/*"]\n      priority: 310 #`,
    );
    expect(text).toContain("      # canary:\n");
    expect(text).not.toMatch(/^ {6}wave:/m);
    expect(out).toContain(
      "note: Tidegate's rule takes every request that none before it does: from now on a new rule of yours needs a priority below 310",
    );
    expect(out).not.toContain("rehearse");
  });
});

describe("init at a terminal", () => {
  it("asks for what it cannot look up, one question at a time [E7]", async () => {
    const person = new Person("", "200:", "", "2.3.1", "checkout-green", "2.4.0", "none", "", "yes");
    const directory = emptyFolder();
    const { thrown, error } = await runInit({}, { person, directory });
    expect(thrown).toBe("");
    expect(person.asked).toEqual([
      "Name of the environment (part of every physical name, cannot be changed later) [production]",
      `Which rule's requests are the service's? Where they go is on the right
  20: host admin.example.com → admin
  200: host shop.example.com and path /checkout/* or /cart/* → checkout-blue
  201: host shop.example.com and path /checkout/pay → payments
  300: path /old/* → redirect
  default: everything else → web`,
      "Name of the service [checkout]",
      "Version that checkout-blue serves now",
      `Target group of the next release\n  checkout-green (${groupArn("checkout-green")})\n  none: there is none yet`,
      "Version that checkout-green serves",
      "E-mail address that hears alarms and pages, or none",
      "Name of the stack [prod]",
      "Write these files?",
    ]);
    expect(error).toContain("--- nothing\n+++ Pulumi.prod.yaml\n+ # One service");
    expect(Object.keys(filesIn(directory))).toEqual(["Pulumi.prod.yaml", "Pulumi.yaml"]);
  });

  it("writes nothing when the person does not agree [E7]", async () => {
    const directory = emptyFolder();
    const { thrown, thrownName } = await runInit({ ...flags, yes: false }, { person: new Person("no"), directory });
    expect([thrownName, thrown]).toEqual(["RefusedError", "tidegate init: not agreed to; nothing was written"]);
    expect(filesIn(directory)).toEqual({});
  });
});

describe("files that are there", () => {
  it("are not replaced [E7]", async () => {
    const directory = emptyFolder({ "Pulumi.prod.yaml": "config: {}\n" });
    const { thrown } = await runInit(flags, { directory });
    expect(thrown).toBe(
      'tidegate init: 1 problem, nothing was written:\n  --stack: Pulumi.prod.yaml is there already, got "prod"; expected a new stack. Choose another, look with --dry-run, or replace it with --force',
    );
    expect(filesIn(directory)).toEqual({ "Pulumi.prod.yaml": "config: {}\n" });
  });

  it("are replaced with --force, and compared with --dry-run [E7]", async () => {
    const directory = emptyFolder({ "Pulumi.prod.yaml": stackFile.replace("priority: 197", "priority: 1") });
    const look = await runInit({ ...flags, dryRun: true, yes: false }, { directory });
    expect(
      look.out
        .split("\n")
        .filter((line) => /^[-+]/.test(line))
        .slice(0, 4),
    ).toEqual([
      "--- Pulumi.prod.yaml",
      "+++ Pulumi.prod.yaml",
      "-       priority: 1 # and the two after it; before that rule, and free when this was written",
      "+       priority: 197 # and the two after it; before that rule, and free when this was written",
    ]);
    expect(look.out).toContain("Nothing was written (--dry-run).");
    expect(Object.keys(filesIn(directory))).toEqual(["Pulumi.prod.yaml"]);
    // What the file made already is no other stack's.
    const account = new Account();
    account.tables = ["tidegate-production"];
    expect((await runInit({ ...flags, force: true }, { directory, account })).thrown).toBe("");
    expect(filesIn(directory)["Pulumi.prod.yaml"]).toBe(stackFile);
  });

  it("of another project end it before AWS is asked [E7]", async () => {
    const directory = emptyFolder({ "Pulumi.yaml": "name: shop\nruntime: nodejs\n" });
    const { thrown } = await runInit(flags, { directory });
    expect(thrown).toBe(
      'tidegate init: 1 problem, nothing was written:\n  Pulumi.yaml: another project, got name "shop"; expected tidegate, the name that the stack file\'s keys belong to. Run this in a folder of its own',
    );
    expect(Object.keys(filesIn(directory))).toEqual(["Pulumi.yaml"]);
  });

  it("of a Tidegate project stay as they are [E7]", async () => {
    const directory = emptyFolder({ "Pulumi.yaml": "name: tidegate\nmain: index.ts\n" });
    expect((await runInit(flags, { directory })).thrown).toBe("");
    expect(filesIn(directory)["Pulumi.yaml"]).toBe("name: tidegate\nmain: index.ts\n");
  });
});

describe("the program beside the stack file", () => {
  /** A folder in which nothing is installed. */
  const bare = () => mkdtempSync(join(tmpdir(), "tidegate-init-"));

  it("comes with a package.json where Tidegate runs from a checkout and is not installed [E7]", () => {
    const directory = bare();
    const { files, install, problems } = programFiles(directory);
    expect([files.map(({ name }) => name), install, problems]).toEqual([
      ["Pulumi.yaml", "package.json"],
      ["npm install"],
      [],
    ]);
    expect(JSON.parse(files[1]?.text ?? "")).toEqual({
      private: true,
      type: "module",
      dependencies: { tidegate: `file:${relative(directory, packageRoot)}` },
    });
  });

  it("leaves a package.json that is there, and says what to install [E7]", () => {
    const directory = bare();
    writeFileSync(join(directory, "package.json"), "{}\n");
    const { files, install } = programFiles(directory);
    expect(files.map(({ name }) => name)).toEqual(["Pulumi.yaml"]);
    expect(install).toEqual([`npm install file:${relative(directory, packageRoot)}`]);
  });

  it("is refused where Tidegate runs from somebody else's node_modules [E7]", () => {
    expect(programFiles(bare(), "/usr/lib/node_modules/tidegate").problems).toEqual([
      "tidegate: not installed in this folder, got /usr/lib/node_modules/tidegate; expected node_modules/tidegate here or above. Run npm install with what you ran this from, then this again",
    ]);
  });
});

describe("an environment that is there", () => {
  it("gets the service beside the stack whose file is here [E7]", async () => {
    const directory = emptyFolder({ "Pulumi.prod.yaml": stackFile });
    const person = new Person("beside stack prod", "20:", "", "1.0", "none", "", "yes");
    const { thrown } = await runInit({}, { directory, person, account: new Account() });
    expect(thrown).toBe("");
    expect(person.asked[0]).toBe(
      "Put the service beside a stack that is here already?\n  beside stack prod (environment production)\n  no, it gets an environment of its own",
    );
    const text = filesIn(directory)["Pulumi.prod-admin.yaml"] ?? "";
    expect(text).toContain("\n  tidegate:foundation: prod # the stack that has this environment's hook and record\n");
    expect(text).toContain(`\n      listenerArn: ${listenerArn} # HTTPS 443 of shop\n`);
    expect(text).not.toContain("tidegate:network");
    expect(text).not.toContain("tidegate:alerting");
  });

  it("has to be named by its stack where only its table is found [E7]", async () => {
    const account = new Account();
    account.tables = ["tidegate-production"];
    const { thrown } = await runInit(flags, { account });
    expect(thrown).toBe(
      "tidegate init: 1 problem, nothing was written:\n  --foundation: missing; expected the stack that made environment production (table tidegate-production is there), as organisation/tidegate/stack; or another --environment",
    );
    expect((await runInit({ ...flags, foundation: "here" }, { account })).thrown).toContain(
      '--foundation: not usable, got "here"',
    );
    const directory = emptyFolder();
    expect((await runInit({ ...flags, foundation: "shop-org/tidegate/prod" }, { account, directory })).thrown).toBe("");
    expect(filesIn(directory)["Pulumi.prod.yaml"]).toContain("\n  tidegate:foundation: shop-org/tidegate/prod #");
  });
});

describe("what cannot be adopted", () => {
  it("is a rule that forwards to nothing [E7]", async () => {
    const directory = emptyFolder();
    const { thrown, thrownName } = await runInit({ ...flags, rule: "300" }, { directory });
    expect([thrownName, thrown]).toEqual([
      "RefusedError",
      "tidegate init: refused for 1 reason; nothing was written:\n  --rule: forwards to no target group, got 300: path /old/* → redirect; expected a rule that forwards to the group which serves now. Choose another",
    ]);
    expect(filesIn(directory)).toEqual({});
  });

  it("is a rule right behind one that shares its requests, and the message says how to make room [E7]", async () => {
    const { thrown } = await runInit({ ...flags, rule: "201", canaryGroup: "none", canaryVersion: undefined });
    expect(thrown).toBe(`tidegate init: refused for 1 reason; nothing was written:
  --rule: no room for Tidegate's 3 rules, got fewer than 3 free in a row between rule 200: host shop.example.com and path /checkout/* or /cart/* → checkout-blue, which shares requests with it, and rule 201: host shop.example.com and path /checkout/pay → payments; expected 3 free priorities in a row right before it. It can move without changing who gets what: aws elbv2 set-rule-priorities --rule-priorities RuleArn=${ruleArn(201)},Priority=204`);
  });

  it("is what the first up would refuse, in the same words [E7]", async () => {
    const account = new Account();
    account.managedBy = "EKS cluster shop, ingress default/web";
    account.rules = [
      {
        ...aRule(200, [host("shop.example.com")], { name: "checkout-blue", weight: 90 }, { name: "web", weight: 10 }),
      },
      aRule("default", [], "web"),
    ];
    const directory = emptyFolder();
    const { thrown, thrownName } = await runInit(flags, { account, directory });
    expect([thrownName, thrown]).toEqual([
      "RefusedError",
      `tidegate init: refused for 2 reasons; nothing was written:
  services.checkout: load balancer shop is written by a controller, which would undo every weight, got EKS cluster shop, ingress default/web; expected a load balancer that no Ingress manages. Register the pods in a target group of your own with a TargetGroupBinding, behind another load balancer
  services.checkout.match.ruleArn: splits its requests itself, got the rule at 200 (host shop.example.com), which forwards to checkout-blue (weight 90) and web (weight 10); expected one group with weight. Give one group everything first: this up itself would move traffic`,
    ]);
    expect(filesIn(directory)).toEqual({});
  });

  it("is a rule behind a login, whatever else is right [E7]", async () => {
    const account = new Account();
    const plain = aRule(200, [host("shop.example.com")], "checkout-blue");
    account.rules = [
      { ...plain, actions: [{ type: "authenticate-oidc" }, ...plain.actions] },
      aRule("default", [], "web"),
    ];
    const { thrown } = await runInit(flags, { account });
    expect(thrown).toContain("services.checkout.match.ruleArn: asks for a login first (authenticate-oidc)");
  });

  it("is told by the checks even where there is no room [E7]", async () => {
    const account = new Account();
    account.managedBy = "EKS cluster shop, ingress default/web";
    const { thrown } = await runInit({ ...flags, rule: "201" }, { account });
    expect(thrown).toContain("refused for 2 reasons");
    expect(thrown).toContain("is written by a controller");
    expect(thrown).toContain("--rule: no room for Tidegate's 3 rules");
  });

  it("is a rule on another listener than said [E7]", async () => {
    const elsewhere = ruleArn(200).replace("f2f7dc8efc522ab2", "0123456789abcdef");
    const { thrown } = await runInit({ ...flags, rule: elsewhere });
    expect(thrown).toContain(
      `--rule: on another listener, got ${listenerArn.replace("f2f7dc8efc522ab2", "0123456789abcdef")}; expected ${listenerArn}. Leave --listener out`,
    );
  });

  it("is what the account does not have [E7]", async () => {
    const other = listenerArn.replace("f2f7dc8efc522ab2", "0123456789abcdef");
    const { thrown } = await runInit({ ...flags, listener: other });
    expect(thrown).toBe(
      `tidegate init: 1 problem, nothing was written:\n  --listener: not in this account and region, got ${other}; expected one in eu-west-1. Check --region and --profile`,
    );
  });
});

describe("rules with everything on one load balancer", () => {
  it("keeps a rule of ours out of the list [E7]", async () => {
    const account = new Account();
    const ours = { environment: "production", service: "checkout", role: "main" };
    account.rules = [{ ...aRule(10, [host("a.example.com")], "admin"), ours }, aRule("default", [path("/*")], "web")];
    const { thrown } = await runInit({ ...flags, rule: "10" }, { account });
    expect(thrown).toContain(
      `--rule: rule 10 is Tidegate's own, service checkout of environment production, got "10"; expected priority or ARN of a rule of the listener, or default\n    default: everything else → web`,
    );
  });
});
