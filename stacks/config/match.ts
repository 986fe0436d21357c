/** The requests of a service and its testers, within what one listener rule can hold. */
import { z } from "zod";
import type { MatchConfig, TestersConfig } from "./model.ts";
import { check, leaf, type Path, type Problems, text } from "./problems.ts";

/** Most condition values in one rule, wildcards too. Source: ELB guide, load-balancer-limits, read 2026-11. */
const maximumConditionValues = 5;
const maximumWildcards = 5;

const host = text(/^(?=.{1,128}$)[A-Za-z0-9.*?-]*\.[A-Za-z]+$/, {
  wrong: "not a host pattern",
  expected: `letters, digits, "-", ".", "*" and "?", with only letters after the last "."`,
});
const requestPath = text(/^(?=.{1,128}$)[/*][\w.$/~"'@:+&*?-]*$/, {
  wrong: "not a path pattern",
  expected: `a path starting with "/" or "*", at most 128 characters`,
});
const ruleArn = text(
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:listener-rule\/app\/[A-Za-z0-9-]{1,32}(?:\/[0-9a-f]{8,32}){3}$/,
  {
    wrong: "not the ARN of an application load balancer's rule",
    expected: "arn:aws:elasticloadbalancing:<region>:<account>:listener-rule/app/<name>/<id>/<id>/<id>",
    wayOut: "Find it with aws elbv2 describe-rules",
  },
);
const match = z.strictObject({
  hosts: z.array(host).optional(),
  paths: z.array(requestPath).optional(),
  ruleArn: ruleArn.optional(),
});

/** No wildcards: `*` would make a tester of everyone. */
const testerValue = text(/^[A-Za-z0-9._~+/=@:-]{1,128}$/, {
  wrong: "not a tester value",
  expected: `1 to 128 letters, digits and ._~+/=@:-, no wildcards`,
});
const testerName = leaf(
  z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/)
    .refine((name) => !["host", "cookie"].includes(name.toLowerCase())),
  { wrong: "not a name for testers", expected: `1 to 40 letters, digits, "-" and "_", neither Host nor Cookie` },
);
const tester = z.strictObject({ name: testerName, value: testerValue });
const testers = z.strictObject({ header: tester.optional(), cookie: tester.optional() });

/** Reads hosts and paths, or the adopted rule; `undefined` after a problem. */
export function readMatch(raw: unknown, path: Path, problems: Problems): MatchConfig | undefined {
  const written = check(match, raw, path, problems);
  if (!written) return undefined;
  const before = problems.texts.length;
  for (const key of ["hosts", "paths"] as const) {
    if (written.ruleArn !== undefined && written[key] !== undefined) {
      problems.add([...path, key], {
        wrong: "beside ruleArn, whose conditions are taken as they are",
        expected: "one of the two",
        wayOut: `Leave ${key} or ruleArn out`,
      });
    }
    if (written[key]?.length === 0) {
      problems.add([...path, key], {
        wrong: "empty list",
        expected: "at least one pattern",
        wayOut: "Leave the key out for any",
      });
    }
  }
  if (!written.hosts && !written.paths && written.ruleArn === undefined) {
    problems.add(path, {
      wrong: "matches everything",
      expected: "hosts, paths or both, or ruleArn",
      wayOut: `For all requests write paths: ["/*"]`,
    });
  }
  if (problems.texts.length > before) return undefined;
  const adopted = written.ruleArn === undefined ? {} : { ruleArn: written.ruleArn };
  return { hosts: written.hosts ?? [], paths: written.paths ?? [], ...adopted };
}

/** Reads who reaches the canary on purpose; `undefined` when nobody does, or after a problem. */
export function readTesters(raw: unknown, path: Path, problems: Problems): TestersConfig | undefined {
  if (raw === undefined) return undefined;
  const written = check(testers, raw, path, problems);
  if (!written) return undefined;
  if (written.header && !written.cookie) return { header: written.header };
  if (written.cookie && !written.header) return { cookie: written.cookie };
  const wrong = written.header ? "both header and cookie" : "neither header nor cookie";
  problems.add(path, { wrong, expected: "one of header and cookie", wayOut: "A rule would ask for both at once" });
  return undefined;
}

/**
 * The tester rule is the fullest: the route's hosts and paths, and the header. A cookie is a header between two stars. What an adopted
 * rule takes up is counted once it has been read.
 */
export function checkQuotas(
  matched: MatchConfig,
  testing: TestersConfig | undefined,
  path: Path,
  problems: Problems,
): void {
  const patterns = [...matched.hosts, ...matched.paths];
  const values = patterns.length + (testing ? 1 : 0);
  const testerValues = testing ? ", 1 for testers" : "";
  if (values > maximumConditionValues) {
    problems.add([...path, "match"], {
      wrong: `too many condition values for one rule, got ${values} (${matched.hosts.length} hosts, ${matched.paths.length} paths${testerValues})`,
      expected: `at most ${maximumConditionValues}`,
      wayOut: "Use a wildcard, or make it two services",
    });
  }
  const testerStars = testing && "cookie" in testing ? 2 : 0;
  const wildcards = patterns.join("").replace(/[^*?]/g, "").length + testerStars;
  if (wildcards > maximumWildcards) {
    problems.add([...path, "match"], {
      wrong: `too many wildcards for one rule, got ${wildcards}${testerStars ? " (2 for the testers' cookie)" : ""}`,
      expected: `at most ${maximumWildcards}`,
      wayOut: "Spell patterns out, or make it two services",
    });
  }
}
