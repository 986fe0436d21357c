/** Names of the runbooks in `docs/runbooks/`, one page a situation (D8); alarms and pages link to them by name. */
import type { Indicator } from "./objectives.ts";

export const runbooks = [
  "high-error-rate",
  "high-latency",
  "invariant-violation",
  "breaker-open",
  "no-healthy-hosts",
  "no-data",
  "dependency-outage",
  "receiver-lost",
  "no-other-release",
  "killed",
  "peer-hold",
  "unexplained-lowering",
  "live-above-record",
  "foreign-target-group",
  "edge-errors",
  "hook-failing",
  "record-unreadable",
  "drill-missing",
  "report-failing",
  "page-storm",
  "full-rollback",
] as const;
export type Runbook = (typeof runbooks)[number];

/** The runbook of an alarm on an indicator. */
export function runbookOf(indicator: Indicator): Runbook {
  switch (indicator) {
    case "latency-p50":
    case "latency-p95":
    case "latency-p99":
    case "memory":
    case "cpu":
      return "high-latency";
    case "invariant-violations":
    case "dual-run-failures":
    case "flag-mismatches":
    case "flag-coverage":
      return "invariant-violation";
    case "circuit-breaker-open":
    case "circuit-breaker-recovery":
      return "breaker-open";
    case "healthy-hosts":
    case "crashes":
      return "no-healthy-hosts";
    case "throughput":
      return "no-data";
    case "error-rate":
    case "availability":
    case "success-rate":
    case "cache-hit-ratio":
    case "rate-limit-rejects":
    case "rate-limit-reject-rate":
    case "fallback-rate":
      return "high-error-rate";
  }
}

/** Where a runbook is read. @param base a URL or a folder; a closing slash does not matter */
export function runbookLink(base: string, runbook: Runbook): string {
  return `${base.replace(/\/+$/, "")}/${runbook}.md`;
}

/** The runbooks in the product's own folder, where no URL of one's own is configured. */
export const defaultRunbookBase = "docs/runbooks";
