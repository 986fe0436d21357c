/** The rules of the gate as a table of Markdown, with the numbers that the code has: `tidegate gate --rules` prints it for `docs/gate.md`. */
import { markdownTable } from "markdown-table";
import { leastBudgetLeftFraction } from "../core/error-budget.ts";
import { defaultGateSettings } from "../core/gate/evidence.ts";
import { healthyScore, rollBackScore } from "../core/gate/health-score.ts";
import { leastWatchedFraction } from "../core/gate/judge.ts";
import { leastErrors, leastRequests } from "../core/gate/power.ts";
import { type GateRule, gateRules } from "../core/gate/verdict.ts";
import { defaultMinimumRequests } from "../core/plans.ts";

interface RuleWords {
  readonly asks: string;
  readonly unmet: string;
  readonly lifted: "by a reason" | "never";
}

const { latencyAllowancePercent, errorAllowancePercent, errorCeilingPercent } = defaultGateSettings;

const rules: Readonly<Record<GateRule, RuleWords>> = {
  hold: { asks: "no hold stands on the release", unmet: "waits until it is acknowledged", lifted: "never" },
  pause: { asks: "openings are not paused", unmet: "waits until they are resumed", lifted: "never" },
  "cool-off": {
    asks: "after a rollback, the plan's cool-off is over; asked before the first wave",
    unmet: "waits",
    lifted: "by a reason",
  },
  "change-freeze": { asks: "no change freeze is in force", unmet: "waits until it ends", lifted: "never" },
  approvals: { asks: "every role of the wave has signed", unmet: "waits for a person", lifted: "never" },
  checks: {
    asks: "every check of the wave passed, against this release and not too long ago",
    unmet: "worse where it failed; cannot tell where there is no such result",
    lifted: "by a reason",
  },
  ladder: {
    asks: "the release finished in the environment below, and was no worse there than the baseline is here; asked before the first wave",
    unmet: "waits; worse above the ceiling of errors; cannot tell where it is not to be read",
    lifted: "by a reason",
  },
  breach: { asks: "no breach is open, but for objectives that only observe", unmet: "worse", lifted: "never" },
  alarm: {
    asks: "no alarm of the release is in ALARM",
    unmet: "worse; cannot tell where states are not to be read",
    lifted: "never",
  },
  soak: { asks: "the wave's minimum soak is served", unmet: "waits", lifted: "by a reason" },
  requests: {
    asks: `the canary answered the wave's minimum of requests, ${defaultMinimumRequests} unless the plan says otherwise`,
    unmet: "cannot tell, and the soak goes on",
    lifted: "by a reason",
  },
  visibility: {
    asks: `an alarm could have spoken in ${100 * leastWatchedFraction} % of the soak, and the canary has not fallen silent`,
    unmet: "cannot tell",
    lifted: "by a reason",
  },
  criteria: {
    asks: "what the wave's plan and the objectives' targets ask held, over the whole soak and its newest quarter",
    unmet: "waits; worse where it is far beyond; cannot tell where it was not measured",
    lifted: "by a reason",
  },
  errors: {
    asks: `error rate not over ${errorCeilingPercent} %, nor more than ${errorAllowancePercent} % above that of the baseline beside it; from ${leastRequests} requests and ${leastErrors} errors on`,
    unmet: "worse; cannot tell where a release twice as bad could not have been seen",
    lifted: "by a reason",
  },
  latency: {
    asks: `p95 not more than ${latencyAllowancePercent} % above that of the baseline beside it`,
    unmet: "worse; cannot tell where a release twice as bad could not have been seen",
    lifted: "by a reason",
  },
  "health-score": {
    asks: `the score of errors and p99 beside the baseline is ${healthyScore} or more`,
    unmet: `waits; worse below ${rollBackScore}`,
    lifted: "by a reason",
  },
  "error-budget": {
    asks: `${100 * leastBudgetLeftFraction} % of the service's error budget is left`,
    unmet: "waits; cannot tell where it is not to be read",
    lifted: "by a reason",
  },
  figures: {
    asks: "what the next wave's bounds are measured against could be read",
    unmet: "cannot tell",
    lifted: "by a reason",
  },
};

/** One row a rule, in the order in which they are told. */
export function rulesTable(): string {
  const rows = gateRules.map((rule) => [`\`${rule}\``, rules[rule].asks, rules[rule].unmet, rules[rule].lifted]);
  return markdownTable([["Rule", "Asks that", "Else the finding", "Lifted"], ...rows]);
}
