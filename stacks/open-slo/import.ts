/**
 * OpenSLO v1 in (B1): SLOs become the objectives of their service. What Tidegate cannot honour is refused by name, all at once, and never
 * left out: an SLO that looks watched and is not is worse than none.
 *
 * What OpenSLO has no words for (bounds, responses, floors) is in annotations, see `documents.ts`.
 */
import { basename } from "node:path";
import type { BurnSettings } from "../../core/burn-rate.ts";
import { errorBudgetOf } from "../../core/burn-rate.ts";
import { isSlug, maximumServiceLength, slugRule } from "../../core/naming.ts";
import { type MetricSource, metricSources, type Objective } from "../../core/objectives.ts";
import { readListed, refuseSameNames } from "../config/objective-list.ts";
import { isMap, listText, type Path, Problems, pathText, unknownWord } from "../config/problems.ts";
import { parseYaml, readYamlStream } from "../config/yaml-file.ts";
import { checkAlerting, readPolicies } from "./burn.ts";
import { annotations, Documents, type OpenSloObject } from "./documents.ts";
import { checkReusable, type ReadSlo, readSlo } from "./slo.ts";

/** What a file says about one service. */
export interface ImportedService {
  readonly service: string;
  readonly source: MetricSource;
  /** As the file has them; every config adds a bound on healthy hosts to those that have none. */
  readonly objectives: readonly Objective[];
  /** Absent: no objective keeps a budget. */
  readonly burnRate?: BurnSettings | "off";
}

function annotated(object: OpenSloObject, key: string): unknown {
  const written = object.annotations[key];
  if (written === undefined) return undefined;
  const read = new Problems();
  const value = parseYaml(written, key, read);
  if (read.texts.length === 0) return value;
  const complaint = { wrong: "malformed YAML", expected: "YAML or JSON in a text" };
  object.problems.add([...object.path, "metadata", "annotations", key], complaint, written);
  return undefined;
}

/** One objective of an SLO: what it measures and aims for, and in the annotation whatever else. */
function objectiveOf(slo: ReadSlo): Objective | undefined {
  const { object, recognised } = slo;
  const path = ["metadata", "annotations", annotations.objective];
  const extra = annotated(object, annotations.objective) ?? {};
  if (!isMap(extra)) {
    object.problems.add(path, { wrong: "must be a map", expected: "an objective as config has it" }, extra);
    return undefined;
  }
  if ("target" in extra) {
    object.problems.add([...path, "target"], {
      wrong: "said twice",
      expected: "no target",
      wayOut: "The SLO itself says it",
    });
    return undefined;
  }
  const [likeliest] = recognised.indicators;
  const indicator = extra.indicator ?? likeliest;
  if (!recognised.indicators.some((candidate) => candidate === indicator)) {
    const wrong = "not what the SLO's metrics and target are";
    object.problems.add([...path, "indicator"], { wrong, expected: listText(recognised.indicators) }, indicator);
    return undefined;
  }
  const raw = { ...extra, indicator, target: slo.targetOf(recognised.indicators.find((one) => one === indicator)) };
  return readListed(raw, path, { source: recognised.source, problems: object.problems });
}

/** Objectives in the order of the service's annotation: those that are SLOs by name, the others whole. */
function inOrder(
  service: OpenSloObject | undefined,
  ofSlos: readonly Objective[],
  source: MetricSource,
  documents: Documents,
): readonly Objective[] {
  // Which objective an SLO would have been that could not be read, nobody knows.
  const areAllRead = documents.problemTexts.length === 0;
  const raw = service && annotated(service, annotations.objectives);
  if (!service || raw === undefined) return ofSlos;
  const { problems } = service;
  const path = ["metadata", "annotations", annotations.objectives];
  if (!Array.isArray(raw)) {
    problems.add(
      path,
      { wrong: "must be a list", expected: "a list of objectives and of names of objectives" },
      raw ?? undefined,
    );
    return ofSlos;
  }
  const named = new Set<string>();
  const listed = raw.map((entry: unknown, index): Objective | undefined => {
    if (typeof entry !== "string") {
      return readListed(entry, [...path, index], { source, problems, keepsUnmeasurable: true });
    }
    named.add(entry);
    const found = ofSlos.find(({ name }) => name === entry);
    if (!found && areAllRead) {
      const expected = ofSlos.length === 0 ? "an objective as config has it" : listText(ofSlos.map(({ name }) => name));
      problems.add([...path, index], { wrong: "no SLO is this objective", expected }, entry);
    }
    return found;
  });
  const rest = ofSlos.filter(({ name }) => !named.has(name));
  const all = [...listed, ...rest];
  refuseSameNames(all, path, problems);
  return all.filter((objective) => objective !== undefined);
}

function burnOf(
  service: OpenSloObject | undefined,
  slos: readonly (ReadSlo & { readonly objective: Objective })[],
  objectives: readonly Objective[],
  documents: Documents,
): BurnSettings | "off" | undefined {
  const budget = errorBudgetOf(objectives);
  const periodDays = slos[0]?.periodDays;
  const areAllRead = documents.problemTexts.length === 0;
  const switched = service?.annotations[annotations.burnRate];
  const isOff = switched === "off";
  if (service && switched !== undefined && !isOff) {
    const path = ["metadata", "annotations", annotations.burnRate];
    const complaint = { wrong: "unknown value", expected: "off", wayOut: "Alert policies say the rest" };
    service.problems.add(path, complaint, switched);
  }
  let settings: BurnSettings | undefined;
  for (const slo of slos) {
    if (periodDays !== slo.periodDays) {
      const wrong = "another window than the first SLO's";
      slo.object.problems.add(["spec", "timeWindow"], { wrong, expected: `${periodDays}d` }, `${slo.periodDays}d`);
    }
    if (slo.alertPolicies === undefined) continue;
    if (isOff || (areAllRead && slo.objective.name !== budget?.objective)) {
      const of = budget && !isOff ? `the policies of ${budget.objective} alone` : "no alert policies";
      const wrong = "alert policies of an SLO whose budget is not watched";
      slo.object.problems.add(["spec", "alertPolicies"], { wrong, expected: of });
      continue;
    }
    settings = readPolicies(slo.alertPolicies, slo.periodDays, slo.object, documents);
  }
  if (!budget || periodDays === undefined) return undefined;
  return isOff ? "off" : (settings ?? { periodDays, windows: "page" });
}

/** The metric source of a service: what its SLOs say, and where it has none the annotation. */
function sourceOf(name: string, slos: readonly ReadSlo[], service: OpenSloObject | undefined): MetricSource {
  const ofSlos = slos[0]?.recognised.source;
  if (!service) return ofSlos ?? "emf";
  const path = ["metadata", "annotations", annotations.source];
  const written = service.annotations[annotations.source];
  const annotatedSource = metricSources.find((candidate) => candidate === written);
  if (written !== undefined && !annotatedSource) {
    service.problems.add(path, unknownWord(written, metricSources, "unknown source"), written);
  } else if (written !== undefined && ofSlos !== undefined && written !== ofSlos) {
    service.problems.add(path, { wrong: "another metric source than its SLOs have", expected: ofSlos }, written);
  } else if (written === undefined && ofSlos === undefined) {
    const complaint = { wrong: `missing, and no SLO of ${name} says it`, expected: listText(metricSources) };
    service.problems.add(path, complaint);
  }
  return ofSlos ?? annotatedSource ?? "emf";
}

function readService(name: string, slos: readonly ReadSlo[], documents: Documents): ImportedService | undefined {
  const service = documents.of("Service").find((object) => object.name === name);
  const source = sourceOf(name, slos, service);
  for (const { object, recognised } of slos) {
    if (recognised.source === source) continue;
    const wrong = "another metric source than the first SLO of the service has";
    object.problems.add(["spec"], { wrong, expected: source }, recognised.source);
  }
  const read = slos.flatMap((slo) => {
    const objective = objectiveOf(slo);
    return objective ? [{ ...slo, objective }] : [];
  });
  const ofSlos = read.map(({ objective }) => objective);
  read.forEach(({ object, objective }, index) => {
    if (ofSlos.findIndex(({ name: other }) => other === objective.name) === index) return;
    const wayOut = `Give it a name of its own in the annotation ${annotations.objective}`;
    object.problems.add(
      ["metadata", "name"],
      { wrong: "a second SLO of one objective", expected: "one", wayOut },
      objective.name,
    );
  });
  const objectives = inOrder(service, ofSlos, source, documents);
  const burnRate = burnOf(service, read, objectives, documents);
  return { service: name, source, objectives, ...(burnRate === undefined ? {} : { burnRate }) };
}

/** Reads every service of a file, ascending by name; every problem goes into `found`, each with its document. */
export function readOpenSlo(file: string, found: Problems): readonly ImportedService[] {
  const values = readYamlStream(file, found);
  if (!values) return [];
  const documents = new Documents(values, basename(file));
  const slos = documents.of("SLO").flatMap((object) => readSlo(object, documents) ?? []);
  checkReusable(documents);
  checkAlerting(documents);
  const names = [...new Set(slos.map(({ service }) => service))].sort();
  for (const object of documents.of("Service")) {
    if (isSlug(object.name, maximumServiceLength)) continue;
    const expected = `at most ${maximumServiceLength} characters: ${slugRule}`;
    object.problems.add(["metadata", "name"], { wrong: "not a service name", expected }, object.name);
  }
  // A service may have objectives that OpenSLO cannot say, and no others.
  for (const { name, annotations: written } of documents.of("Service")) {
    if (annotations.objectives in written && !names.includes(name)) names.push(name);
  }
  const services = names.flatMap(
    (name) =>
      readService(
        name,
        slos.filter(({ service }) => service === name),
        documents,
      ) ?? [],
  );
  if (documents.all.length > 0 && services.length === 0 && documents.problemTexts.length === 0) {
    found.texts.push(`${basename(file)}: no SLO in it; expected at least one`);
  }
  found.texts.push(...documents.problemTexts);
  return services;
}

/** What a file says about the service that names it; `undefined` after a problem. */
export function importedService(
  file: string,
  { service, source }: { readonly service: string; readonly source: MetricSource },
  path: Path,
  problems: Problems,
): ImportedService | undefined {
  const found = new Problems();
  const services = readOpenSlo(file, found);
  const own = services.find((candidate) => candidate.service === service);
  if (found.texts.length > 0) {
    problems.texts.push(...found.texts.map((text) => `${pathText(path)}: ${text}`));
    return undefined;
  }
  if (!own) {
    const expected = listText(services.map((candidate) => candidate.service));
    problems.add(path, { wrong: "no SLO of this service in the file", expected }, service);
    return undefined;
  }
  if (own.source !== source) {
    const wayOut = `Set source: ${own.source}, or correct the metrics`;
    problems.add(
      path,
      { wrong: "metrics of another source than the service has", expected: source, wayOut },
      own.source,
    );
    return undefined;
  }
  return own;
}
