/** `tidegate init` beside what is there: other stacks, Tidegate's own rules, groups that serve others, files that are replaced (E7). */
import { describe, expect, it } from "vitest";
import { carryOver } from "../../cli/init/carry-over.ts";
import { readStackFile } from "../../stacks/config.ts";
import {
  Account,
  aRule,
  emptyFolder,
  filesIn,
  usualFlags as flags,
  groupArn,
  host,
  listenerArn,
  Person,
  path,
  ruleArn,
  runInit,
  usualRules,
} from "./init-estate.ts";

/** An account in which a Tidegate service stands in front of rule 200. */
function heldAccount(environment = "accprod"): Account {
  const account = new Account();
  const conditions = [host("shop.example.com"), path("/checkout/*", "/cart/*")];
  const held = aRule(198, conditions, "checkout-blue");
  account.rules = [{ ...held, ours: { environment, service: "checkout", role: "main" } }, ...usualRules];
  return account;
}

const refused = (reason: string) => `tidegate init: refused for 1 reason; nothing was written:\n  ${reason}`;

/** The folder after a first `init`. */
async function folderWithProd(): Promise<string> {
  const directory = emptyFolder();
  expect((await runInit(flags, { directory })).thrown).toBe("");
  return directory;
}

describe("a rule that Tidegate has already", () => {
  const message = refused(
    "--rule: Tidegate has its requests already, got rule 200: rule 198 is Tidegate's own, service checkout of environment accprod and stands in front of it; " +
      "expected a rule that nothing of Tidegate stands in front of. Choose another rule",
  );

  it("is refused, whatever folder the stack is in [E7]", async () => {
    const directory = emptyFolder();
    const { thrown } = await runInit(flags, { account: heldAccount(), directory });
    expect(thrown).toBe(message);
    expect(filesIn(directory)).toEqual({});
  });

  it("is refused right after a person has chosen it [E7]", async () => {
    const person = new Person("", "200:");
    expect((await runInit({}, { account: heldAccount(), person })).thrown).toBe(message);
  });

  it("is the default too, where Tidegate takes every path [E7]", async () => {
    const account = new Account();
    const ours = { environment: "accprod", service: "web", role: "main" };
    account.rules = [{ ...aRule(311, [path("/*")], "web"), ours }, aRule("default", [], "web")];
    const { thrown } = await runInit({ ...flags, rule: "default" }, { account });
    expect(thrown).toContain("got rule default: rule 311 is Tidegate's own, service web of environment accprod");
  });

  it("is not one that only some of its requests leave, nor one of the stack that is replaced [E7]", async () => {
    const account = heldAccount();
    account.rules = account.rules.map((rule) =>
      rule.ours ? { ...rule, priority: 190, conditions: [...rule.conditions, path("/checkout/vip")] } : rule,
    );
    expect((await runInit(flags, { account })).thrown).toBe("");
    const directory = await folderWithProd();
    const again = await runInit({ ...flags, force: true }, { account: heldAccount("production"), directory });
    expect(again.thrown).toBe("");
    expect(filesIn(directory)["Pulumi.prod.yaml"]).toContain("\n      priority: 197 #");
  });

  it("is refused where another stack file names it, before anything is live [E7]", async () => {
    const directory = await folderWithProd();
    const { thrown } = await runInit({ ...flags, stack: "second", service: "basket" }, { directory });
    expect(thrown).toBe(
      refused(
        "--rule: adopted already, got rule 200, which service checkout of stack prod names; expected a rule that no stack here names. Choose another rule",
      ),
    );
  });
});

describe("a service that another stack has", () => {
  it("is refused in the same environment [E7]", async () => {
    const directory = await folderWithProd();
    const { thrown } = await runInit(
      { ...flags, stack: "second", rule: "20", canaryGroup: "none", canaryVersion: undefined },
      { directory },
    );
    expect(thrown).toBe(
      `tidegate init: 1 problem, nothing was written:
  --service: not usable, got "checkout"; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter, and no service that the environment has already: checkout (stack prod)`,
    );
  });
});

describe("the canary's group", () => {
  it("is refused where another rule names it [E7]", async () => {
    for (const canaryGroup of ["admin", groupArn("admin")]) {
      const { thrown } = await runInit({ ...flags, canaryGroup });
      expect(thrown).toBe(
        `tidegate init: 1 problem, nothing was written:
  --canary-group: not free, as rule 20: host admin.example.com → admin names it, got "${canaryGroup}"; expected the ARN or name of a target group of the same VPC and target type that nothing forwards to, or none
    checkout-green (${groupArn("checkout-green")})
    none: there is none yet`,
      );
    }
  });

  it("is refused where it hangs elsewhere or is of another kind [E7]", async () => {
    const account = new Account();
    account.groups = account.groups.map((group) =>
      group.name === "checkout-green" ? { ...group, targetType: "lambda" } : group,
    );
    expect((await runInit(flags, { account })).thrown).toContain(
      '--canary-group: not alike, or on another load balancer, got "checkout-green"; expected',
    );
  });

  it("has another version than the baseline [E7]", async () => {
    const { thrown } = await runInit({ ...flags, canaryVersion: "2.3.1" });
    expect(thrown).toBe(
      `tidegate init: 1 problem, nothing was written:
  --canary-version: not usable, got "2.3.1"; expected another version than the baseline's, which is 2.3.1: 1 to 64 letters, digits, ".", "_", "+" and "-", starting with a letter or digit`,
    );
  });
});

describe("a file that --force replaces", () => {
  it("keeps what Pulumi and others have in it, and names what Tidegate's keys lose [E7]", async () => {
    const directory = await folderWithProd();
    const before = filesIn(directory)["Pulumi.prod.yaml"] ?? "";
    const file = `secretsprovider: awskms://alias/shop
encryptedkey: AQICAHg=
${before
  .replace(
    "config:\n",
    'config:\n  aws:allowedAccountIds: ["012345678901"]\n  datadog:apiKey:\n    secure: v1:abc=\n  tidegate:peers: []\n',
  )
  .replace("      attempt: 1 #", "      objectivesFile: x.yaml\n      attempt: 1 #")}    basket:
      mode: observe
`;
    const folder = emptyFolder({ "Pulumi.prod.yaml": file });
    const { thrown, out } = await runInit({ ...flags, force: true }, { directory: folder });
    expect(thrown).toBe("");
    expect(out).toContain(
      "note: Pulumi.prod.yaml loses tidegate:peers, tidegate:services.checkout.objectivesFile, tidegate:services.basket, as it is written anew\n",
    );
    const after = filesIn(folder)["Pulumi.prod.yaml"] ?? "";
    expect(after).toBe(
      `${before.replace(
        "  aws:region: eu-west-1\n",
        '  aws:region: eu-west-1\n  aws:allowedAccountIds:\n    - "012345678901"\n  datadog:apiKey:\n    secure: v1:abc=\n',
      )}secretsprovider: awskms://alias/shop\nencryptedkey: AQICAHg=\n`,
    );
    expect(readStackFile(`${folder}/Pulumi.prod.yaml`).config.environment).toBe("production");
  });

  it("stays where it is no YAML [E7]", async () => {
    const directory = emptyFolder({ "Pulumi.prod.yaml": "config: [\n" });
    const { thrown } = await runInit({ ...flags, force: true }, { directory });
    expect(thrown).toBe(
      'tidegate init: 1 problem, nothing was written:\n  --stack: Pulumi.prod.yaml is no YAML, so nothing of it can be kept, got "prod"; expected a file that can be read. Repair or remove it',
    );
  });

  it("adds nothing where there was nothing [E7]", () => {
    expect(carryOver("config:\n  aws:region: a\n", "")).toEqual({ text: "config:\n  aws:region: a\n", dropped: [] });
  });
});

describe("what is told in time", () => {
  it("is what stands against the rule, and nothing of a priority that was not found [E7]", async () => {
    const account = new Account();
    const shop = [host("shop.example.com")];
    const vip = aRule(100, [...shop, path("/vip/*")], "payments");
    account.rules = [
      { ...vip, actions: [{ type: "authenticate-oidc" }, ...vip.actions] },
      aRule(101, shop, "checkout-blue"),
      aRule("default", [], "web"),
    ];
    const { thrown } = await runInit({ ...flags, rule: "101" }, { account });
    expect(thrown.split("\n").map((line) => line.split(",")[0])).toEqual([
      "tidegate init: refused for 1 reason; nothing was written:",
      "  --rule: no room for Tidegate's 3 rules",
    ]);
  });

  it("is that a controller writes the load balancer: marked in the list, refused once chosen [E7]", async () => {
    const account = new Account();
    account.managedBy = "EKS cluster shop, ingress default/web";
    // A second load balancer, so that there is a choice.
    const estate = account.estate();
    account.estate = () => ({
      ...estate,
      listeners: async () => [
        { arn: listenerArn, port: 443, protocol: "HTTPS" },
        { arn: `${listenerArn}0`, port: 80, protocol: "HTTP" },
      ],
    });
    const person = new Person("", "HTTPS 443");
    const { thrown } = await runInit({}, { account, person });
    expect(person.asked[1]).toContain(
      `  HTTPS 443 of shop (${listenerArn}), cannot be adopted: written by EKS cluster shop, ingress default/web\n`,
    );
    expect(thrown).toBe(
      refused(
        "--listener: its load balancer is written by a controller, which would undo every weight, got EKS cluster shop, ingress default/web; expected one that no Ingress manages. Choose another",
      ),
    );
  });

  it("is that --region and the rule's ARN differ, by the flags that were typed [E7]", async () => {
    const { listener: _, ...byRule } = flags;
    const rule = ruleArn(200).replace("eu-west-1", "eu-central-1");
    const { thrown } = await runInit({ ...byRule, rule, region: "eu-west-1" });
    expect(thrown).toBe(
      `tidegate init: 1 problem, nothing was written:\n  --rule: in another region, got ${rule}; expected one in eu-west-1, which --region is. Say --region eu-central-1`,
    );
  });

  it("is that a rehearsal needs the foundation's file [E7]", async () => {
    const account = new Account();
    account.tables = ["tidegate-production"];
    const { out } = await runInit({ ...flags, foundation: "shop-org/tidegate/base" }, { account });
    expect(out).toContain(
      "note: Pulumi.base.yaml is not in this folder: tidegate rehearse needs it, so copy it from where stack shop-org/tidegate/base is kept\n",
    );
  });
});
