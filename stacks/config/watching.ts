/** Whether what a service promises can be watched where it is to be watched: by a system that is set up, in alarms that CloudWatch takes. */
import { overfullAlarms } from "../../core/alarms.ts";
import { overfullBurn } from "../../core/burn-alarms.ts";
import { burnRules } from "../../core/burn-rate.ts";
import { hostTargets } from "../../core/watch-rules.ts";
import { checkMonitors } from "./datadog.ts";
import type { AlertingConfig, ServiceConfig } from "./model.ts";
import { type Path, type Problems, pathText } from "./problems.ts";
import type { ReadService } from "./service.ts";

/** Who is told, and which channels a person tried to write: what is wrong with those is said there. */
export interface Watchers {
  readonly alerting: AlertingConfig;
  readonly tried: readonly string[];
  /** It is the foundation's, which is another stack. */
  readonly isElsewhere: boolean;
}

/** What a source needs of `alerting` and has not; the hook itself asks for the state of what watches it. */
function missingFor(source: ReadService["source"], { grafana, datadog }: AlertingConfig): [string, string] | undefined {
  if (source === "prometheus") {
    if (!grafana) return ["alerting.grafana", "Add it, with prometheus and tokenSecretArn, or take source emf"];
    if (!grafana.prometheus)
      return ["alerting.grafana.prometheus", "Name the data source that has the service's metrics"];
    if (grafana.tokenSecretArn === undefined) {
      return ["alerting.grafana.tokenSecretArn", "Without a token the hook cannot ask whether a rule is firing"];
    }
  }
  if (source === "datadog") {
    if (!datadog) return ["alerting.datadog", "Add it, with keysSecretArn, or take source emf"];
    if (datadog.keysSecretArn === undefined) {
      return ["alerting.datadog.keysSecretArn", "Without keys the hook cannot ask whether a monitor is firing"];
    }
  }
  return undefined;
}

/** Refuses sources that nothing here watches. */
export function checkSources(services: readonly ReadService[], watchers: Watchers, problems: Problems): void {
  const { alerting, tried, isElsewhere } = watchers;
  for (const { path, source } of services) {
    const channel = source === "prometheus" ? "grafana" : "datadog";
    // One that was tried and came to nothing has been complained about.
    if (!alerting[channel] && tried.includes(channel)) continue;
    const missing = missingFor(source, alerting);
    if (!missing) continue;
    const [key, wayOut] = missing;
    const expected = isElsewhere ? `${key} in the foundation's stack` : key;
    problems.add([...path, "source"], { wrong: "nobody here watches it", expected, wayOut }, source);
  }
}

/**
 * Refuses alarms that CloudWatch would not take. How many releases live at once the config says itself.
 * @param former releases that are still watched besides
 */
export function checkAlarms(service: ServiceConfig, path: Path, problems: Problems, former = 0): void {
  const { objectives, source, burnRate, canary, control } = service;
  const live = 1 + (canary ? 1 : 0) + (canary && control ? 1 : 0) + former;
  const targets = Array.from({ length: live }, () => hostTargets);
  const refused = [
    ...overfullAlarms(objectives, source, targets),
    ...(burnRate
      ? burnRules(objectives, source, burnRate).rules.flatMap((rule) => overfullBurn(rule, source, targets) ?? [])
      : []),
  ];
  for (const text of refused) problems.texts.push(`${pathText([...path, "objectives"])}: ${text}`);
  checkMonitors(service, path, problems);
}
