/** The rehearsal: the whole rollout in virtual time, without a cloud account. A model: see what it does not prove in the README. */

export { type RehearsalOptions, startAt } from "./run/options.ts";
export { type RehearsalResult, rehearse, rehearseInFull } from "./run/rehearse.ts";
export type * from "./run/report.ts";
export { loadScenario } from "./scenario-file.ts";
export { builtInScenarioNames, builtInScenarios, type Scenario } from "./scenarios.ts";
export { parseRecordedTraffic, type RecordedTraffic } from "./traffic/recorded.ts";
