import { describe, expect, it } from "vitest";
import { alarmRunbookLinks } from "../../../policies/shape/alarm-runbook-links.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { anAlarm } from "./builders.ts";

const check = (alarmDescription: unknown, config = {}, props = {}) =>
  violationsOf(alarmRunbookLinks, [anAlarm("watch", "blue", "RequestCount", { alarmDescription, ...props })], config);

describe("alarm-runbook-links", () => {
  it.each([
    "Errors. https://runbooks.example.com/errors",
    "http://wiki/errors",
    "Errors. Runbook: docs/runbooks/high-error-rate.md",
  ])("lets %s pass [E1]", async (description) => {
    expect(await check(description)).toEqual([]);
  });

  it("refuses a description without a link, and none at all [E1]", async () => {
    const rest =
      "expected an http(s) URL, or a path under docs/runbooks/. Add the address of the page that says what to do";
    expect(await check("Too many errors, see the wiki")).toEqual([
      `watch: alarmDescription links to no runbook, got "Too many errors, see the wiki"; ${rest}`,
    ]);
    expect(await check(undefined)).toEqual([`watch: alarmDescription links to no runbook, got nothing; ${rest}`]);
    expect(await check("see https://")).toHaveLength(1);
    expect(await check("see docs/runbooks/ for it")).toHaveLength(1);
  });

  it("takes the configured bases instead [E1]", async () => {
    expect(await check("see go/errors", { bases: ["go/"] })).toEqual([]);
    expect(await check("docs/runbooks/errors.md", { bases: [] })).toEqual([
      'watch: alarmDescription links to no runbook, got "docs/runbooks/errors.md"; expected an http(s) URL. ' +
        "Add the address of the page that says what to do",
    ]);
  });

  it("looks at composites, and leaves alone what tells nobody [E1]", async () => {
    const composite = {
      type: "aws:cloudwatch/compositeAlarm:CompositeAlarm",
      name: "any",
      props: { alarmActions: [notKnownYet] },
    };
    expect(await violationsOf(alarmRunbookLinks, [composite])).toHaveLength(1);
    expect(await check(undefined, {}, { alarmActions: [] })).toEqual([]);
  });

  it("says nothing while the description cannot be known [E1]", async () => {
    expect(await check(notKnownYet)).toEqual([]);
  });
});
