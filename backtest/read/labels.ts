/**
 * Labelled windows: when something was really wrong, as people say. A list of `[from, to]`, or such lists by file as the Numenta Anomaly
 * Benchmark has them; of those only the lists of the files that are replayed count.
 */
import { z } from "zod";
import type { LabelledWindow } from "../../core/backtest/firings.ts";
import { messageOf } from "../../core/error-message.ts";
import { instantOf, type Zone } from "./times.ts";

const list = z.array(z.tuple([z.string(), z.string()]));
const shape = z.union([list, z.record(z.string(), list)]);
const expected =
  'expected [["2026-01-05T10:00Z", "2026-01-05T11:00Z"], …], or such lists by the name of a series\' file';

/** @param files names of the series' files, without their folders */
export function readLabels(
  place: string,
  text: string,
  files: readonly string[],
  zone: Zone,
  problems: string[],
): LabelledWindow[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    problems.push(`${place}: malformed JSON (${messageOf(error)}); ${expected}`);
    return [];
  }
  const parsed = shape.safeParse(value);
  if (!parsed.success) {
    problems.push(`${place}: not labelled windows; ${expected}`);
    return [];
  }
  const lists = Array.isArray(parsed.data) ? { "": parsed.data } : parsed.data;
  const wanted = Object.entries(lists).filter(([file]) => file === "" || files.includes(file));
  if (wanted.length === 0) {
    problems.push(
      `${place}: of none of the files, got ${Object.keys(lists).join(", ") || "no list"}; expected ${files.join(", ")}`,
    );
  }
  const windows = wanted.flatMap(([file, pairs]) =>
    pairs.flatMap((pair, index): LabelledWindow[] => {
      const where = `${place}: ${file === "" ? "" : `${file} `}[${index}]`;
      const [from, to] = pair.map((written) => {
        const at = instantOf(written, zone);
        if (typeof at === "number") return at;
        const wrong = at === "zone" ? "a time without a zone" : "not a time";
        problems.push(
          `${where}: ${wrong}, got "${written.slice(0, 40)}"; expected ISO 8601 with its zone${at === "zone" ? ". Or state --zone" : ""}`,
        );
        return undefined;
      });
      if (from === undefined || to === undefined) return [];
      if (to <= from) {
        problems.push(`${where}: ends before it begins, got ${pair.join(" to ")}; expected the start first`);
        return [];
      }
      return [{ from, to }];
    }),
  );
  return windows.sort((left, right) => left.from - right.from);
}
