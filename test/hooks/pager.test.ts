/** One pager over several channels: each is tried once, whatever the others did. */
import { describe, expect, it } from "vitest";
import type { PageMessage } from "../../core/page-message.ts";
import { type PageChannel, pagerOver } from "../../hooks/pager.ts";

const message: PageMessage = {
  page: { id: "p", dedupKey: "k", severity: "critical", summary: "s", detail: "d", at: 0 },
  environment: "dev",
  service: "checkout",
  region: "eu-west-1",
  links: [],
  commands: [],
};

function channels(failing: readonly string[] = [], required: readonly string[] = ["pagerduty"]) {
  const sent: string[] = [];
  const all = ["pagerduty", "sns", "slack"].map(
    (name): PageChannel => ({
      name,
      isRequired: required.includes(name),
      async send() {
        sent.push(name);
        if (failing.includes(name)) throw new Error(`${name} is down`);
      },
    }),
  );
  return { sent, pager: pagerOver(all) };
}

describe("the pager", () => {
  it("sends to every channel once [D4]", async () => {
    const { sent, pager } = channels();
    expect(await pager.send(message, [])).toEqual({ deliveredTo: ["pagerduty", "sns", "slack"], failed: [] });
    expect(sent).toEqual(["pagerduty", "sns", "slack"]);
  });

  it("spares the channels that have it, and keeps naming them [D4]", async () => {
    const { sent, pager } = channels();
    expect(await pager.send(message, ["sns", "gone"])).toEqual({
      deliveredTo: ["sns", "gone", "pagerduty", "slack"],
      failed: [],
    });
    expect(sent).toEqual(["pagerduty", "slack"]);
  });

  it("tries the others when one fails, and says which failed, required or not [D4]", async () => {
    const { sent, pager } = channels(["pagerduty", "slack"]);
    expect(await pager.send(message, [])).toEqual({
      deliveredTo: ["sns"],
      failed: [
        { channel: "pagerduty", isRequired: true, error: new Error("pagerduty is down") },
        { channel: "slack", isRequired: false, error: new Error("slack is down") },
      ],
    });
    expect(sent).toEqual(["pagerduty", "sns", "slack"]);
  });

  it("takes a channel that throws at once for one that failed [D4]", async () => {
    const throwing: PageChannel = {
      name: "sns",
      isRequired: true,
      send: () => {
        throw new TypeError("no topic");
      },
    };
    expect((await pagerOver([throwing]).send(message, [])).failed).toEqual([
      { channel: "sns", isRequired: true, error: new TypeError("no topic") },
    ]);
  });

  it("is refused without a required channel: nothing would notice that nobody is told [D4]", () => {
    expect(() => pagerOver([])).toThrow(new RangeError("pager: no required channel, got none; expected at least one"));
    expect(() => channels([], [])).toThrow(
      new RangeError("pager: no required channel, got pagerduty, sns, slack; expected at least one"),
    );
  });
});
