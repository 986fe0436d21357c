/** Whole comments, as people read them. The previews of the dev stack are the engine's own; see `test/engine/preview-json.test.ts`. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mostCommentCharacters } from "../../../cli/comment/markdown.ts";
import { World } from "../../helpers/world.ts";
import { Operator, stacksOf } from "../operator.ts";
import { events, hostile, huge, opening, stranger, urnOf } from "./previews.ts";
import { commentOn, recorded, runComment } from "./recorded.ts";

const ofThisPack = { policies: "example" };

/** What the gate found when it let the recorded opening through: half an hour at 5 %, both releases alike. */
const gateOfTheOpening = [
  "Gate: **promote**, nothing speaks against it.",
  "",
  "<details><summary>13 findings are met</summary>",
  "",
  "- hold: no hold stands",
  "- breach: no breach is open",
  "- alarm: no alarm is in ALARM",
  "- soak: soak at 5 % served 30 of 10 min",
  "- requests: the canary answered 90000 requests in this soak",
  "- visibility: 100 % of the soak had enough requests for an alarm to speak",
  "- criteria: target of error-rate: at most 0.5 %: came to 0 % over the soak and 0 % over its newest quarter; expected at most 0.5 %",
  "- criteria: target of latency-p95: at most 2000 ms: came to 40 ms over the soak and 40 ms over its newest quarter; expected at most 2000 ms",
  "- criteria: target of availability: at least 99.95 %: came to 100 % over the soak and 100 % over its newest quarter; expected at least 99.95 %",
  "- errors: 0 % errors (0 of 63000) of the canary beside 0 % errors (0 of 63000) of the baseline: none on either side, over 21 windows of 60 s (the first 2.4 min (3 windows) left out, since every release is cold then); allowed are 2 times as many and 1 %; it could have seen 1.13 %",
  "- latency: p95 40 ms beside 40 ms of the baseline: +0 %, by chance anything from +0 % to +0 %, over 21 windows; p99 40 ms beside 40 ms of the baseline: +0 %, by chance anything from +0 % to +0 %; expected at most 10 % more; it could have seen 10 % more",
  "- health-score: health score 1, by the formula alone 1",
  "- error-budget: error budget untouched (availability 99.95 % over 28 d): no request was counted",
  "",
  "</details>",
];

describe("tidegate comment", () => {
  it("tells of an opening: weights, gate, times, rehearsal, the way back [E2]", async () => {
    const { code, comment } = await commentOn(recorded("opening.jsonl"), ofThisPack);
    const expected = [
      "<!-- tidegate:dev -->",
      "## Tidegate: stack `dev`",
      "",
      "**Nothing in this preview speaks against the up.** Right before the weights change a guard looks again (hosts, alarms, the hook, who else opens), and any miss stops it.",
      "",
      "### `checkout`",
      "",
      "**Opens wave 25 %: `2.4.0` rises from 5 % to 25 %.**",
      "",
      "| Release | Role     | Now (record) | After this up |",
      "| :------ | :------- | -----------: | ------------: |",
      "| `2.3.1` | baseline |         95 % |          75 % |",
      "| `2.4.0` | canary   |          5 % |          25 % |",
      "",
      ...gateOfTheOpening,
      "",
      "The record was not read for this comment: AWS was not asked (--no-aws).",
      "",
      "**From a breach to less traffic** at 25 %: at worst from **430 s** (with 49 requests/s of the whole service, at 2 × the bound) to **740 s** (14) until zero exposure; below 14 requests/s error-rate (critical) is not seen.",
      "",
      "| Promise                         | What the hook does | At the latest after |     Needs, of the whole service |",
      "| :------------------------------ | :----------------- | ------------------: | ------------------------------: |",
      "| error-rate (critical)           | disable            |               110 s | 294 requests/s at 2 × the bound |",
      "| error-rate (critical)           | disable            |               260 s |  49 requests/s at 2 × the bound |",
      "| error-rate (critical)           | disable            |               740 s |                   14 requests/s |",
      "| circuit-breaker-open (critical) | disable            |               260 s |                             any |",
      "| healthy-hosts (critical)        | disable            |               430 s |                             any |",
      "",
      "**Rehearsed with this configuration:** the release fails requests at 25 %; rolled back to 0 %.",
      "",
      "|                                             | With the hook | Without |",
      "| :------------------------------------------ | ------------: | ------: |",
      "| From the first bad request to the decision  |          61 s |   never |",
      "| From the first bad request to zero exposure |          71 s |   never |",
      "| Bad requests in that time                   |            50 |     209 |",
      "",
      "A model of AWS with made-up traffic, scenario error-spike, seed 1: `npx tidegate rehearse --stack dev --service checkout` prints the same with its timeline.",
      "",
      "<details><summary>The way back</summary>",
      "",
      "By itself: when one of the promises above is breached, the hook takes the traffic away, writes why, and pages. No later up brings the release back before somebody acknowledges with a reason.",
      "",
      "By hand, all traffic off the canary at once:",
      "",
      "```sh",
      'npx tidegate kill --stack dev --service checkout --reason "..."',
      "```",
      "",
      "By config, once this up is through:",
      "",
      "```sh",
      "pulumi config set --path 'tidegate:services.checkout.wave' 5 && pulumi up",
      "```",
      "",
      'Where nothing of Tidegate runs: the lines under "When Tidegate does not run" of the runbook `docs/runbooks/high-error-rate.md`.',
      "",
      "</details>",
      "",
      "### Policies",
      "",
      "4 policies of `example` judged this preview; none found anything.",
      "",
      "<details><summary>The policies that judged</summary>",
      "",
      "`advises`, `blocks`, `finds-nothing`, `meets-the-unknown`",
      "",
      "</details>",
      "",
      "**Cost:** about $35.04 a month after this up, as before (`checkout` $14.32); list prices of us-east-1 of 2026-11-21, made up of what `npx tidegate cost` shows.",
      "",
      "### Resources",
      "",
      "| Change | How many | Which                                                                  |",
      "| :----- | -------: | :--------------------------------------------------------------------- |",
      "| update |        2 | `aws:lambda/invocation:Invocation`, `aws:lb/listenerRule:ListenerRule` |",
    ].join("\n");
    expect(comment).toBe(expected);
    expect(code).toBe(0);
  });

  it("is what the guide shows, with the figures of the real rehearsal [E2, E3]", { timeout: 60_000 }, async () => {
    const { code, comment } = await commentOn(recorded("opening.jsonl"), { ...ofThisPack, rehearsal: "real" });
    expect(code).toBe(0);
    const guide = readFileSync(new URL("../../../docs/pull-requests.md", import.meta.url), "utf8");
    expect(guide).toContain(`<!-- example -->\n\n\`\`\`\`markdown\n${comment}\n\`\`\`\`\n`);
  });

  it("tells of a refusal, its reasons first, and exits 3 [E1, E2]", async () => {
    const { code, comment, error } = await commentOn(recorded("refused.jsonl"), ofThisPack);
    expect(comment).toBe(
      [
        "<!-- tidegate:dev -->",
        "## Tidegate: stack `dev`",
        "",
        "**This up would be REFUSED**, for 1 reason; nothing would change:",
        "",
        "- checkout.wave: skips a wave, got 100 after 5; expected 25. Open one wave an up",
        "",
        "### `checkout`",
        "",
        "**Nothing moves: this up would be refused.**",
        "",
        "| Release | Role     | Now (record) | After this up |",
        "| :------ | :------- | -----------: | ------------: |",
        "| `2.3.1` | baseline |         95 % |          95 % |",
        "| `2.4.0` | canary   |          5 % |           5 % |",
        "",
        "Gate: not asked, since it was refused before the gate was asked.",
        "",
        "The record was not read for this comment: AWS was not asked (--no-aws).",
        "",
        "**From a breach to less traffic** at 5 %: at worst from **430 s** (with 245 requests/s of the whole service, at 2 × the bound) to **740 s** (67) until zero exposure; below 67 requests/s error-rate (critical) is not seen.",
        "",
        "| Promise                         | What the hook does | At the latest after |      Needs, of the whole service |",
        "| :------------------------------ | :----------------- | ------------------: | -------------------------------: |",
        "| error-rate (critical)           | disable            |               110 s | 1468 requests/s at 2 × the bound |",
        "| error-rate (critical)           | disable            |               260 s |  245 requests/s at 2 × the bound |",
        "| error-rate (critical)           | disable            |               740 s |                    67 requests/s |",
        "| circuit-breaker-open (critical) | disable            |               260 s |                              any |",
        "| healthy-hosts (critical)        | disable            |               430 s |                              any |",
        "",
        "**Rehearsed with this configuration:** the release fails requests at 25 %; rolled back to 0 %.",
        "",
        "|                                             | With the hook | Without |",
        "| :------------------------------------------ | ------------: | ------: |",
        "| From the first bad request to the decision  |          61 s |   never |",
        "| From the first bad request to zero exposure |          71 s |   never |",
        "| Bad requests in that time                   |            50 |     209 |",
        "",
        "A model of AWS with made-up traffic, scenario error-spike, seed 1: `npx tidegate rehearse --stack dev --service checkout` prints the same with its timeline.",
        "",
        "<details><summary>The way back</summary>",
        "",
        "By itself: when one of the promises above is breached, the hook takes the traffic away, writes why, and pages. No later up brings the release back before somebody acknowledges with a reason.",
        "",
        "By hand, all traffic off the canary at once:",
        "",
        "```sh",
        'npx tidegate kill --stack dev --service checkout --reason "..."',
        "```",
        "",
        'Where nothing of Tidegate runs: the lines under "When Tidegate does not run" of the runbook `docs/runbooks/high-error-rate.md`.',
        "",
        "</details>",
        "",
        "### Policies",
        "",
        "4 policies of `example` judged this preview; none found anything.",
        "",
        "<details><summary>The policies that judged</summary>",
        "",
        "`advises`, `blocks`, `finds-nothing`, `meets-the-unknown`",
        "",
        "</details>",
        "",
        "**Cost:** about $35.04 a month after this up, as before (`checkout` $14.32); list prices of us-east-1 of 2026-11-21, made up of what `npx tidegate cost` shows.",
        "",
        "### Resources",
        "",
        "| Change | How many | Which                              |",
        "| :----- | -------: | :--------------------------------- |",
        "| update |        1 | `aws:lambda/invocation:Invocation` |",
      ].join("\n"),
    );
    expect(code).toBe(3);
    expect(error).toBe(
      "tidegate comment: the comment is written; refused: checkout.wave: skips a wave, got 100 after 5; expected 25. Open one wave an up",
    );
  });

  it("tells of a rollback that pins the config [B4, E2]", async () => {
    const { code, comment } = await commentOn(recorded("pinned.jsonl"), ofThisPack);
    expect(comment).toBe(
      [
        "<!-- tidegate:dev -->",
        "## Tidegate: stack `dev`",
        "",
        "**Nothing in this preview speaks against the up.** Right before the weights change a guard looks again (hosts, alarms, the hook, who else opens), and any miss stops it.",
        "",
        "**The latch is closed** for `checkout`: the up goes through and opens nothing there.",
        "",
        "### `checkout`",
        "",
        "**The latch is closed: traffic stays where it is.**",
        "",
        "| Release | Role     | Now (record) | After this up |",
        "| :------ | :------- | -----------: | ------------: |",
        "| `2.3.1` | baseline |        100 % |         100 % |",
        "| `2.4.0` | canary   |          0 % |           0 % |",
        "",
        "Gate: not asked, since nothing is raised.",
        "",
        "The program warns:",
        "",
        "- checkout: hold error-rate-critical-1767609000000 stands (error-rate (critical) of 2.4.0 at 5 %); acknowledge it with a reason before the next opening",
        "- checkout: pinned at 0 %, attempt 1 ended in a rollback; acknowledge error-rate-critical-1767609000000 with a reason first",
        "",
        "The record was not read for this comment: AWS was not asked (--no-aws).",
        "",
        "**From a breach to less traffic:** after this up the canary has no traffic that could be hurt.",
        "",
        "**Rehearsed with this configuration:** the release fails requests at 25 %; rolled back to 0 %.",
        "",
        "|                                             | With the hook | Without |",
        "| :------------------------------------------ | ------------: | ------: |",
        "| From the first bad request to the decision  |          61 s |   never |",
        "| From the first bad request to zero exposure |          71 s |   never |",
        "| Bad requests in that time                   |            50 |     209 |",
        "",
        "A model of AWS with made-up traffic, scenario error-spike, seed 1: `npx tidegate rehearse --stack dev --service checkout` prints the same with its timeline.",
        "",
        "<details><summary>The way back</summary>",
        "",
        "By itself: when one of the promises above is breached, the hook takes the traffic away, writes why, and pages. No later up brings the release back before somebody acknowledges with a reason.",
        "",
        "By hand, all traffic off the canary at once:",
        "",
        "```sh",
        'npx tidegate kill --stack dev --service checkout --reason "..."',
        "```",
        "",
        'Where nothing of Tidegate runs: the lines under "When Tidegate does not run" of the runbook `docs/runbooks/high-error-rate.md`.',
        "",
        "</details>",
        "",
        "### Policies",
        "",
        "4 policies of `example` judged this preview; none found anything.",
        "",
        "<details><summary>The policies that judged</summary>",
        "",
        "`advises`, `blocks`, `finds-nothing`, `meets-the-unknown`",
        "",
        "</details>",
        "",
        "**Cost:** about $35.04 a month after this up, as before (`checkout` $14.32); list prices of us-east-1 of 2026-11-21, made up of what `npx tidegate cost` shows.",
        "",
        "### Resources",
        "",
        "| Change | How many | Which                                                                    |",
        "| :----- | -------: | :----------------------------------------------------------------------- |",
        "| update |        3 | `aws:lambda/invocation:Invocation`, 2 `aws:lb/listenerRule:ListenerRule` |",
      ].join("\n"),
    );
    expect(code).toBe(0);
  });

  it("tells of a policy that blocks and one that advises, and exits 3 [E1, E2]", async () => {
    const { code, comment } = await commentOn(recorded("blocked.jsonl"), ofThisPack);
    expect(comment).toBe(
      [
        "<!-- tidegate:dev -->",
        "## Tidegate: stack `dev`",
        "",
        "**This up would be REFUSED**, for 1 reason; nothing would change:",
        "",
        "- policy blocks: Blocks every router. checkout: weights are wrong, got 25; expected 20 Set them.",
        "",
        "### `checkout`",
        "",
        "**Opens wave 25 %: `2.4.0` rises from 5 % to 25 %.**",
        "",
        "| Release | Role     | Now (record) | After this up |",
        "| :------ | :------- | -----------: | ------------: |",
        "| `2.3.1` | baseline |         95 % |          75 % |",
        "| `2.4.0` | canary   |          5 % |          25 % |",
        "",
        ...gateOfTheOpening,
        "",
        "The record was not read for this comment: AWS was not asked (--no-aws).",
        "",
        "**From a breach to less traffic** at 25 %: at worst from **430 s** (with 49 requests/s of the whole service, at 2 × the bound) to **740 s** (14) until zero exposure; below 14 requests/s error-rate (critical) is not seen.",
        "",
        "| Promise                         | What the hook does | At the latest after |     Needs, of the whole service |",
        "| :------------------------------ | :----------------- | ------------------: | ------------------------------: |",
        "| error-rate (critical)           | disable            |               110 s | 294 requests/s at 2 × the bound |",
        "| error-rate (critical)           | disable            |               260 s |  49 requests/s at 2 × the bound |",
        "| error-rate (critical)           | disable            |               740 s |                   14 requests/s |",
        "| circuit-breaker-open (critical) | disable            |               260 s |                             any |",
        "| healthy-hosts (critical)        | disable            |               430 s |                             any |",
        "",
        "**Rehearsed with this configuration:** the release fails requests at 25 %; rolled back to 0 %.",
        "",
        "|                                             | With the hook | Without |",
        "| :------------------------------------------ | ------------: | ------: |",
        "| From the first bad request to the decision  |          61 s |   never |",
        "| From the first bad request to zero exposure |          71 s |   never |",
        "| Bad requests in that time                   |            50 |     209 |",
        "",
        "A model of AWS with made-up traffic, scenario error-spike, seed 1: `npx tidegate rehearse --stack dev --service checkout` prints the same with its timeline.",
        "",
        "<details><summary>The way back</summary>",
        "",
        "By itself: when one of the promises above is breached, the hook takes the traffic away, writes why, and pages. No later up brings the release back before somebody acknowledges with a reason.",
        "",
        "By hand, all traffic off the canary at once:",
        "",
        "```sh",
        'npx tidegate kill --stack dev --service checkout --reason "..."',
        "```",
        "",
        "By config, once this up is through:",
        "",
        "```sh",
        "pulumi config set --path 'tidegate:services.checkout.wave' 5 && pulumi up",
        "```",
        "",
        'Where nothing of Tidegate runs: the lines under "When Tidegate does not run" of the runbook `docs/runbooks/high-error-rate.md`.',
        "",
        "</details>",
        "",
        "### Policies",
        "",
        "4 policies of `example` judged this preview; 1 finding(s) that block, 1 that advise.",
        "",
        "- `blocks` **blocks** on `checkout`: Blocks every router. checkout: weights are wrong, got 25; expected 20 Set them.",
        "- `advises` advises on `checkout`: Advises on every router. checkout: a lower first wave is safer",
        "",
        "<details><summary>The policies that judged</summary>",
        "",
        "`advises`, `blocks`, `finds-nothing`, `meets-the-unknown`",
        "",
        "</details>",
        "",
        "### Resources",
        "",
        "| Change | How many | Which                                                                  |",
        "| :----- | -------: | :--------------------------------------------------------------------- |",
        "| update |        2 | `aws:lambda/invocation:Invocation`, `aws:lb/listenerRule:ListenerRule` |",
      ].join("\n"),
    );
    expect(code).toBe(3);
  });

  it("takes a mandatory policy that could not run for one that blocks [E1, E2]", async () => {
    const { code, comment } = await commentOn(recorded("blocked-first.jsonl"), ofThisPack);
    expect(code).toBe(3);
    // Who serves before Tidegate does is not known here: 0 % would read as a switch of all traffic.
    expect(comment).toContain("| `2.3.1` | baseline | not known |          95 % |");
    expect(comment).toContain("- policy meets-the-unknown could not run, and may block the up: ");
    expect(comment).toContain("- `meets-the-unknown` **could not run, so it counts as blocking** on `checkout-main`: ");
  });

  it("tells of a preview that failed, and exits 3 [E2]", async () => {
    const { code, comment } = await commentOn(recorded("failed.jsonl"));
    expect(comment).toBe(
      [
        "<!-- tidegate:dev -->",
        "## Tidegate: stack `dev`",
        "",
        "**The preview FAILED**: whatever is below is not the whole, and no up should follow from it:",
        "",
        '- config "tidegate" has 1 problem (stack dev): services.checkout.wave: missing',
        "",
        "### Messages",
        "",
        '- error: config "tidegate" has 1 problem (stack dev): services.checkout.wave: missing',
        "",
        "### Resources",
        "",
        "No resource changes.",
      ].join("\n"),
    );
    expect(code).toBe(3);
  });

  it("rehearses alone where there are no credentials [E2]", async () => {
    const { code, comment } = await runComment({ stack: "dev", aws: false });
    expect(comment).toBe(
      [
        "<!-- tidegate:dev -->",
        "## Tidegate: stack `dev`",
        "",
        "**Not previewed**: this ran without credentials, so nobody has looked at what is live, at the record or at the gate. Somebody who may has to run the preview.",
        "",
        "### `checkout`",
        "",
        "**Rehearsed with this configuration:** the release fails requests at 25 %; rolled back to 0 %.",
        "",
        "|                                             | With the hook | Without |",
        "| :------------------------------------------ | ------------: | ------: |",
        "| From the first bad request to the decision  |          61 s |   never |",
        "| From the first bad request to zero exposure |          71 s |   never |",
        "| Bad requests in that time                   |            50 |     209 |",
        "",
        "A model of AWS with made-up traffic, scenario error-spike, seed 1: `npx tidegate rehearse --stack dev --service checkout` prints the same with its timeline.",
      ].join("\n"),
    );
    expect(code).toBe(0);
  });

  it("says nothing for a program without a service of ours, and exits 2 [E2]", async () => {
    const { code, comment } = await commentOn(stranger());
    expect(comment).toBe(
      [
        "<!-- tidegate:dev -->",
        "## Tidegate: stack `dev`",
        "",
        "**The preview could not be read**, so nothing can be said about this up:",
        "",
        "- nothing of Tidegate is in this preview: either it is another program's, or nothing changes and this form of preview leaves out what stays. Set PULUMI\\_ENABLE\\_STREAMING\\_JSON\\_PREVIEW=true for the whole",
      ].join("\n"),
    );
    expect(code).toBe(2);
  });

  it("shows hostile names as what they are [E2]", async () => {
    const { code, comment } = await commentOn(hostile());
    expect(comment).toBe(
      [
        "<!-- tidegate:dev -->",
        "## Tidegate: stack `dev`",
        "",
        "**Nothing in this preview speaks against the up.** Right before the weights change a guard looks again (hosts, alarms, the hook, who else opens), and any miss stops it.",
        "",
        "**No policy pack judged it.** Run the preview with `--policy-pack policies`.",
        "",
        "### `checkout`",
        "",
        "**Opens wave 25 %: ``@team `x` --> </details>`` rises from 10 % to 25 %.**",
        "",
        "| Release                                                                  | Role     | Now (record) | After this up |",
        "| :----------------------------------------------------------------------- | :------- | -----------: | ------------: |",
        "| <code>&#124; &#60;img src&#61;x onerror&#61;alert&#40;1&#41;&#62;</code> | baseline |         90 % |          75 % |",
        "| ``@team `x` --> </details>``                                             | canary   |         10 % |          25 % |",
        "",
        "Gate: **promote**, nothing speaks against it:",
        "",
        "- **lifted**, checks: smoke: \\*\\*ship it\\*\\* \\[more\\](https:​//a.example) \\`\\`\\` gh-​1 &amp;lt;",
        "",
        "<details><summary>1 finding is met</summary>",
        "",
        "- approvals: signed by @​acme/sre \\</details\\> \\<img src=x onerror=alert(1)\\> &vert; # 1 --\\>",
        "",
        "</details>",
        "",
        "The program warns:",
        "",
        "- checkout: \\*\\*ship it\\*\\* @​acme/sre #​1 https:​//a.example \\<script\\> # h",
        "",
        "The record was not read for this comment: AWS was not asked (--no-aws).",
        "",
        "**From a breach to less traffic:** the preview does not say how long it takes at worst.",
        "",
        "**Rehearsed with this configuration:** the release fails requests at 25 %; rolled back to 0 %.",
        "",
        "|                                             | With the hook | Without |",
        "| :------------------------------------------ | ------------: | ------: |",
        "| From the first bad request to the decision  |          61 s |   never |",
        "| From the first bad request to zero exposure |          71 s |   never |",
        "| Bad requests in that time                   |            50 |     209 |",
        "",
        "A model of AWS with made-up traffic, scenario error-spike, seed 1: `npx tidegate rehearse --stack dev --service checkout` prints the same with its timeline.",
        "",
        "<details><summary>The way back</summary>",
        "",
        "By itself: when one of the promises above is breached, the hook takes the traffic away, writes why, and pages. No later up brings the release back before somebody acknowledges with a reason.",
        "",
        "By hand, all traffic off the canary at once:",
        "",
        "```sh",
        'npx tidegate kill --stack dev --service checkout --reason "..."',
        "```",
        "",
        "By config, once this up is through:",
        "",
        "```sh",
        "pulumi config set --path 'tidegate:services.checkout.wave' 10 && pulumi up",
        "```",
        "",
        'Where nothing of Tidegate runs: the lines under "When Tidegate does not run" of the runbook `docs/runbooks/high-error-rate.md`.',
        "",
        "</details>",
        "",
        "### Messages",
        "",
        "- warning: arn known after up is not known, password \\[secret\\]",
        "",
        "### Resources",
        "",
        "| Change | How many | Which                  |",
        "| :----- | -------: | :--------------------- |",
        "| create |        1 | `aws:s3/bucket:Bucket` |",
        "| delete |        1 | `aws:s3/bucket:Bucket` |",
        "",
        "**Replaced or deleted:**",
        "",
        "- delete: <code>a&#124;b &#64;team</code> (`aws:s3/bucket:Bucket`)",
      ].join("\n"),
    );
    expect(code).toBe(0);
  });

  it("fits into what GitHub takes, and says that it was cut [E2]", async () => {
    const { comment } = await commentOn(huge());
    expect(comment.length).toBeLessThanOrEqual(mostCommentCharacters);
    expect(comment.startsWith("<!-- tidegate:dev -->\n## Tidegate: stack `dev`\n")).toBe(true);
    expect(comment.endsWith("the job's log and `npx tidegate comment` have the rest.")).toBe(true);
  });

  it("says of the one-object form that policies are missing, and fails where they were asked for [E1, E2]", async () => {
    const plain = await commentOn(recorded("opening.json"));
    expect(plain.code).toBe(0);
    expect(plain.comment).toContain("**What policies said is not in this form of preview**");
    const asked = await commentOn(recorded("opening.json"), ofThisPack);
    expect(asked.code).toBe(3);
    expect(asked.comment).toContain(
      "- policy pack example: this form of preview does not tell what policies said. Set PULUMI\\_ENABLE\\_STREAMING\\_JSON\\_PREVIEW=true",
    );
  });

  it("fails where the pack that was asked for did not judge, or pulumi itself failed [E1, E2]", async () => {
    const other = await commentOn(recorded("opening.jsonl"), { policies: "tidegate" });
    expect([other.code, other.error]).toEqual([
      3,
      "tidegate comment: the comment is written; refused: policy pack tidegate did not judge this preview; expected it with --policy-pack",
    ]);
    const failed = await commentOn(recorded("opening.jsonl"), { pulumiExit: "255" });
    expect([failed.code, failed.error]).toEqual([
      3,
      "tidegate comment: the comment is written; failed: pulumi ended with exit code 255, whatever the preview says; the job's log has its words",
    ]);
  });

  it("hears a refusal of the whole stack, too [E1, E2]", async () => {
    const message = "this up would be refused: services.basket: is live but no longer in the config";
    const { code, comment } = await commentOn(
      events(opening("checkout", ["1.0.0", "2.0.0"]), [{ diagnosticEvent: { severity: "warning", message } }]),
    );
    expect(code).toBe(3);
    expect(comment).toContain("- services.basket: is live but no longer in the config");
  });

  it.each([
    ["nothing", ""],
    ["words of a shell", "bash: pulumi: command not found"],
    ["an empty object", "{}"],
    ["a preview of nothing", events([])],
    ["half an object", recorded("opening.json").slice(0, 9_000)],
    ["half a line", recorded("opening.jsonl").slice(0, 9_000)],
    ["events without an end", recorded("opening.jsonl").split("\n").slice(0, 20).join("\n")],
    ["another object", '{"steps": [], "name": "x"}'],
    ["the preview of another stack", recorded("opening.jsonl").replaceAll("urn:pulumi:dev::", "urn:pulumi:prod::")],
  ])("writes a comment that is not green on %s, and exits 2 [E2]", async (_name, text) => {
    const { code, comment, error } = await commentOn(text);
    expect(code).toBe(2);
    expect(comment).toContain("**The preview could not be read**, so nothing can be said about this up:");
    expect(error).toMatch(/^tidegate comment: 1 problem:\n {2}(?:the )?preview/);
  });

  it("passes over warnings before the preview, and says so [E2]", async () => {
    const { code, comment } = await commentOn(`warning: a new version is available\n${recorded("opening.jsonl")}`);
    expect(code).toBe(0);
    expect(comment).toContain("1 line(s) before the preview's JSON were passed over");
  });

  it("counts what a rollback left as news, and anything else as drift [E2]", async () => {
    const news = await commentOn(recorded("pinned.jsonl"), { ...ofThisPack, expectNoChanges: true });
    expect([news.code, news.error]).toEqual([0, ""]);
    const drift = await commentOn(recorded("opening.jsonl"), { ...ofThisPack, expectNoChanges: true });
    expect(drift.code).toBe(3);
    expect(drift.comment).toContain("**DRIFT**: there are changes where none were expected, 2 reasons:");
  });

  it("reads the record beside the preview, and says where it has moved since [D5, E2]", async () => {
    const world = await new World().rolledOutTo(10);
    const operator = new Operator(world);
    const preview = events(opening("checkout", ["1.0.0", "2.0.0"]));
    const directory = stacksOf({ dev: "config:\n  aws:region: eu-west-1\n  tidegate:environment: dev\n" });
    const fresh = await commentOn(preview, {}, operator.outside(), directory);
    expect(fresh.comment).toContain("| Release | Role     | Now (live) | After this up |");
    expect(fresh.comment).toContain("The record: no hold, no breach, nothing that stands against the service.");
    expect(fresh.comment).toContain("aws elbv2 modify-rule --region eu-west-1 --rule-arn arn:rule/main");
    await world.kill();
    const stale = await commentOn(preview, {}, operator.outside(), directory);
    expect(stale.comment).toContain(
      "- **the record has moved since the preview**: it had 10 % then and has 0 % now. Run the preview again",
    );
    operator.hasCredentials = false;
    const blind = await commentOn(preview, {}, operator.outside(), directory);
    expect([
      blind.code,
      blind.comment.includes("The record was not read for this comment: AWS credentials: not found"),
    ]).toEqual([0, true]);
  });

  it("prints one JSON object with the comment in it", async () => {
    const { comment } = await commentOn(recorded("refused.jsonl"), { ...ofThisPack, json: true });
    expect(JSON.parse(comment)).toEqual({
      stack: "dev",
      outcome: "refused",
      reasons: ["checkout.wave: skips a wave, got 100 after 5; expected 25. Open one wave an up"],
      services: [
        { service: "checkout", isNews: true, step: "none", fromPercent: 5, exposurePercent: 5, verdict: "not-asked" },
      ],
      comment: expect.stringMatching(/^<!-- tidegate:dev -->\n/),
    });
  });

  it("refuses what was typed wrong, all at once", async () => {
    expect(
      (await runComment({ stack: "prodd", pulumiExit: "x", policies: "a,," })).error.split("\n").slice(0, 4),
    ).toEqual([
      "tidegate comment: 4 problems:",
      expect.stringContaining('--stack: unknown stack, got "prodd"; expected dev, prod'),
      "  --preview: missing; expected the file with what pulumi preview --json wrote, or - for standard input. Without one, --no-aws rehearses alone",
      '  --pulumi-exit: not an exit code, got "x"; expected a whole number, 0 to 255',
    ]);
  });

  it("names a service in commands only where the name is harmless", async () => {
    const evil = "x; rm -rf ~";
    const { comment } = await commentOn(events(opening(evil, ["1.0.0", "2.0.0"])));
    expect(comment).toContain("npx tidegate kill --stack dev --service SERVICE --reason");
    expect(urnOf("t", evil)).toContain(evil);
  });
});
