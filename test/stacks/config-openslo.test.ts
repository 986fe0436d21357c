/** Objectives that a stack config takes from an OpenSLO file beside it (B1, B11). */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../core/objectives.ts";
import { parseConfig } from "../../stacks/config.ts";
import { type Exported, openSloText } from "../../stacks/open-slo/export.ts";
import { aConfig, aService, problemsOf } from "./config-builders.ts";

const web: Exported = {
  name: "checkout",
  objectives: objectivePresets.web,
  source: "emf",
  burnRate: { periodDays: 30, windows: "ticket" },
};

function folderWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-openslo-"));
  mkdirSync(join(folder, "slo"));
  writeFileSync(join(folder, "slo", "shop.yaml"), text);
  return folder;
}

const raw = (changes: Record<string, unknown> = {}, objectives: unknown = { openslo: "slo/shop.yaml" }) =>
  aConfig({}, { checkout: aService({ objectives, ...changes }) });

function problems(text: string, changes: Record<string, unknown> = {}, objectives?: unknown) {
  return problemsOf(raw(changes, objectives), { folder: folderWith(text) });
}

describe("objectives: { openslo: file } [B1]", () => {
  const text = openSloText("dev", [web, { name: "basket", objectives: objectivePresets.batch, source: "alb" }]);

  it("are those of the service in a file that is relative to the stack's, and its budget", () => {
    const [service] = parseConfig(raw(), { folder: folderWith(text) }).services;
    expect(service?.objectives).toEqual(objectivePresets.web);
    expect(service?.burnRate).toEqual({ periodDays: 30, windows: "ticket" });
  });

  it("are changed field by field like those of a preset", () => {
    const objectives = {
      openslo: "slo/shop.yaml",
      override: { availability: { critical: { below: "99%", response: "disable" } } },
    };
    const [service] = parseConfig(raw({}, objectives), { folder: folderWith(text) }).services;
    expect(service?.objectives.find(({ name }) => name === "availability")?.critical).toEqual({
      value: 99,
      response: "disable",
    });
  });

  it("agree with the service about its budget, or are refused [B11]", () => {
    expect(problems(text, { burnRate: { period: "30d", windows: "ticket" } })).toEqual([]);
    const differs = (got: string) =>
      `services.checkout.burnRate: the OpenSLO file says 30d and ticket, got "${got}"; expected the same, or nothing here. Leave burnRate out, or change the file`;
    expect(problems(text, { burnRate: "off" })).toEqual([differs("off")]);
    expect(problems(text, { burnRate: { period: "28d" } })).toEqual([differs("28d and page")]);
    const { burnRate: _burnRate, ...off } = web;
    expect(problems(openSloText("dev", [off]), { burnRate: {} })).toEqual([
      `services.checkout.burnRate: the OpenSLO file says off, got "28d and page"; expected the same, or nothing here. Leave burnRate out, or change the file`,
    ]);
  });

  it("are refused with every problem of the file, each with its document [B11]", () => {
    const bad = text
      .replace("budgetingMethod: Occurrences", "budgetingMethod: Timeslices")
      .replace("targetPercent: 99.95", "targetPercent: 0.9995");
    expect(problems(bad)).toEqual([
      `services.checkout.objectives.openslo: shop.yaml, document 2 (SLO checkout-error-rate): spec.budgetingMethod: not honoured: requests are counted, not slices of time, got "Timeslices"; expected Occurrences`,
      `services.checkout.objectives.openslo: shop.yaml, document 4 (SLO checkout-availability): metadata.annotations["tidegate.dev/objective"].target: a share of 1 with a percent sign, got "0.9995%"; expected more than 1%. Write "99.95%" if that is the share meant`,
    ]);
  });

  it("are refused where the file has no such service or another source [B11]", () => {
    expect(problems(openSloText("dev", [{ ...web, name: "basket" }]))).toEqual([
      `services.checkout.objectives.openslo: no SLO of this service in the file, got "checkout"; expected basket`,
    ]);
    expect(problems(text, { source: "alb" })).toEqual([
      `services.checkout.objectives.openslo: metrics of another source than the service has, got "emf"; expected alb. Set source: emf, or correct the metrics`,
    ]);
  });

  it("are refused where nothing would shut the service [B11]", () => {
    const objectives = [{ name: "availability", indicator: "availability", target: 99.9 } as const];
    const targets = openSloText("dev", [{ ...web, objectives }]);
    expect(problems(targets)).toEqual([
      "services.checkout.objectives: nothing would ever shut this service: no objective has a bound; expected at least one warning or critical bound. Add one under override, by the objective's name",
    ]);
    const override = { availability: { critical: { below: "99%", response: "disable" } } };
    const [service] = parseConfig(raw({}, { openslo: "slo/shop.yaml", override }), {
      folder: folderWith(targets),
    }).services;
    expect(service?.objectives.map(({ name }) => name)).toEqual(["availability", "healthy-hosts"]);
  });

  it("are refused without a file to be found [B11]", () => {
    const folder = folderWith(text);
    expect(problemsOf(raw({}, { openslo: "nowhere.yaml" }), { folder })).toEqual([
      `services.checkout.objectives.openslo: ${join(folder, "nowhere.yaml")}: no such file; expected a YAML file`,
    ]);
    expect(problemsOf(raw())).toEqual([
      `services.checkout.objectives.openslo: a file, and this config was read from none, got "slo/shop.yaml"; expected objectives. List the objectives here instead`,
    ]);
    expect(problemsOf(raw({}, { openslo: 3, overide: {} }), { folder })).toEqual([
      "services.checkout.objectives.overide: unknown key; expected openslo or override. Did you mean override?",
      "services.checkout.objectives.openslo: not a path, got 3; expected a file, relative to the stack's own",
    ]);
  });
});
