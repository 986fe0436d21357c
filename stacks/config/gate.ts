/**
 * How much worse than its baseline a canary may be before the gate keeps it (C1):
 *
 *     gate:
 *       latencyAllowancePercent: 10     # p95 above the baseline's
 *       errorAllowancePercent: 100      # errors above the baseline's, in percent of them
 *       errorCeilingPercent: 1          # errors whatever the baseline's
 *       byHand: [flag-coverage]         # criteria that people look at themselves
 *
 * What is left out is the documents' own. `byHand` takes criteria off the gate by name, and the preview names them every time: for plans that
 * ask for what a source cannot measure.
 */
import { z } from "zod";
import { defaultGateSettings, type GateSettings } from "../../core/gate/evidence.ts";
import type { Indicator } from "../../core/objectives.ts";
import { indicatorNames } from "./objective-list.ts";
import { checkFields, isMap, leaf, listText, type Path, type Problems, unknownWord } from "./problems.ts";

/** Percent, above 0. */
const allowance = (most: number) =>
  leaf(z.number().positive().max(most), {
    wrong: "must be a number of percent",
    expected: `above 0, to ${most.toLocaleString("en-US")}`,
  });

const gateFields = {
  latencyAllowancePercent: allowance(1_000).optional(),
  errorAllowancePercent: allowance(10_000).optional(),
  errorCeilingPercent: allowance(100).optional(),
  byHand: z.unknown(),
};

/** Reads the settings; `undefined` without the key, and after a problem. */
export function readGate(raw: unknown, path: Path, problems: Problems): GateSettings | undefined {
  if (raw === undefined) return undefined;
  const before = problems.texts.length;
  if (!isMap(raw)) {
    const expected = "a map such as { latencyAllowancePercent: 10 }";
    problems.add(path, { wrong: raw === null ? "missing" : "must be a map", expected }, raw ?? undefined);
    return undefined;
  }
  const { byHand: written, ...fields } = checkFields(gateFields, raw, path, problems);
  const byHand = readByHand(written, [...path, "byHand"], problems);
  if (problems.texts.length > before) return undefined;
  return {
    latencyAllowancePercent: fields.latencyAllowancePercent ?? defaultGateSettings.latencyAllowancePercent,
    errorAllowancePercent: fields.errorAllowancePercent ?? defaultGateSettings.errorAllowancePercent,
    errorCeilingPercent: fields.errorCeilingPercent ?? defaultGateSettings.errorCeilingPercent,
    ...(byHand.length === 0 ? {} : { byHand }),
  };
}

function readByHand(raw: unknown, path: Path, problems: Problems): readonly Indicator[] {
  if (raw === undefined) return [];
  if (!Array.isArray(raw) || raw.length === 0) {
    const expected = "a list of indicators such as [flag-coverage]";
    problems.add(path, { wrong: "names nothing", expected, wayOut: "Leave byHand out" }, raw ?? undefined);
    return [];
  }
  const seen = new Set<Indicator>();
  raw.forEach((name: unknown, index) => {
    const place = [...path, index];
    const indicator = indicatorNames.find((known) => known === name);
    if (indicator === undefined) {
      const complaint = { wrong: "unknown indicator", expected: listText(indicatorNames) };
      problems.add(
        place,
        typeof name === "string" ? unknownWord(name, indicatorNames, "unknown indicator") : complaint,
        name,
      );
      return;
    }
    if (seen.has(indicator)) problems.add(place, { wrong: "named twice", expected: "each once" }, name);
    seen.add(indicator);
  });
  return [...seen];
}
