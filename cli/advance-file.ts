/**
 * Changing the one line `wave:` of a service in a stack's file, and no other byte: comments, quotes and order are the team's. What the
 * line is is found by YAML's own reader; what is written is cut into the text as it was, and read back before it counts.
 */
import { isDeepStrictEqual } from "node:util";
import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { BadInputError } from "../core/bad-input.ts";

export interface WaveEdit {
  readonly text: string;
  /** Counts from 1. */
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

const servicesKey = "tidegate:services";

/**
 * @param name of the file, for messages
 * @throws BadInputError where the line is not there to be changed: missing, or by an anchor, an alias or a merge
 */
export function editWave(text: string, name: string, service: string, wavePercent: number): WaveEdit {
  const where = `${name}: services.${service}.wave`;
  const refuse = (wrong: string): BadInputError =>
    new BadInputError(`${name}:`, [
      `${where}: ${wrong}; expected a line wave: <percent> of its own. Write it by hand once`,
    ]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "silent", merge: true });
  if (document.errors.length > 0) throw refuse("the file is malformed YAML");
  const config = document.get("config", true);
  const services = isMap(config) ? config.get(servicesKey, true) : undefined;
  const found = isMap(services) ? services.get(service, true) : undefined;
  const wave = isMap(found) ? found.get("wave", true) : undefined;
  if (!isNode(wave))
    throw refuse(`no such line, got ${isMap(found) ? "a service without wave" : "no service of its own in this file"}`);
  if (!isScalar(wave) || wave.anchor !== undefined || !wave.range || typeof wave.value !== "number")
    throw refuse("not a plain number");
  const [start, end] = wave.range;
  const edited = `${text.slice(0, start)}${wavePercent}${text.slice(end)}`;
  const { line } = lines.linePos(start);
  const lineOf = (whole: string) => whole.split("\n")[line - 1]?.trim() ?? "";
  if (!changesOnlyThis(text, edited, service, wavePercent)) throw refuse("changing it would change something else too");
  return { text: edited, line, before: lineOf(text), after: lineOf(edited) };
}

/** An alias elsewhere may stand for the very map that was edited. */
function changesOnlyThis(before: string, after: string, service: string, wavePercent: number): boolean {
  const read = (text: string): unknown => {
    const document = parseDocument(text, { prettyErrors: false, logLevel: "silent", merge: true });
    return document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 });
  };
  // By JSON: what an alias shares in memory would change twice in a clone, as it would in the file.
  const wanted: unknown = JSON.parse(JSON.stringify(read(before) ?? null));
  const place = fieldOf(fieldOf(fieldOf(wanted, "config"), servicesKey), service);
  if (!place) return false;
  place.wave = wavePercent;
  return isDeepStrictEqual(read(after), wanted);
}

function fieldOf(value: unknown, name: string): Record<string, unknown> | undefined {
  const field =
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)[name]
      : undefined;
  return typeof field === "object" && field !== null && !Array.isArray(field)
    ? (field as Record<string, unknown>)
    : undefined;
}
