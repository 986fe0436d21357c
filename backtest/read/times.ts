/** Times as recordings write them. One without a zone means another instant everywhere, so its zone is stated, never guessed. */
import type { Instant } from "../../core/record.ts";

/** What is put behind a time that has no zone: `Z` or an offset; absent: such times are refused. */
export type Zone = string | undefined;

/** Reads `utc` or an offset such as `+01:00`. @returns `undefined` for anything else: a named zone has hours that come twice */
export function readZone(text: string): Zone {
  if (/^(utc|z)$/i.test(text)) return "Z";
  return /^[+-](?:0\d|1[0-4]):[0-5]\d$/.test(text) ? text : undefined;
}

const form = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/;

/** @returns `zone` where only the zone is missing, `undefined` for what is no time */
export function instantOf(text: string, zone: Zone): Instant | "zone" | undefined {
  if (/^\d{9,10}(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1_000);
  if (/^\d{12,13}$/.test(text)) return Number(text);
  const match = form.exec(text);
  if (!match) return undefined;
  const written = text.replace(" ", "T");
  if (match[1] === undefined && zone === undefined)
    return Number.isFinite(Date.parse(`${written}Z`)) ? "zone" : undefined;
  const at = Date.parse(match[1] === undefined ? `${written}${zone}` : written);
  // 31 February is no time, though some parsers make March of it.
  const isReal =
    Number.isFinite(at) && Number.isFinite(Date.parse(`${written.slice(0, 10)}T00:00:00Z`)) && isDay(written);
  return isReal ? at : undefined;
}

function isDay(written: string): boolean {
  return new Date(`${written.slice(0, 10)}T00:00:00Z`).toISOString().slice(0, 10) === written.slice(0, 10);
}

/** A number as exporters write it; NaN for the words of what was not measured; `undefined` for anything else. */
export function numberOf(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "" || /^([+-]?inf(inity)?|nan|null|none)$/i.test(trimmed)) return Number.NaN;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}
