/**
 * What only a person can tick on a release's checklist (C4): the items of the source documents (seeds 000, 001, 003, 004, read 2026-11) that
 * nothing here measures, in words that fit any service. What is measured is in `checklist.ts`.
 */

/** Before anything has traffic. */
export const beforeRelease: readonly string[] = [
  "Every test passes, and coverage is what the team asks for",
  "Two people have read the change, and its security was looked at",
  "Its documentation is there, known issues included",
  "Feature flags of the release are set as this rollout needs them",
  "On-call is staffed for the whole rollout, and an incident commander is named",
  "Whoever is on call has read the runbooks, and the way back was tried at least once",
  "Backups, logs and DNS are as the release needs them",
  "Customers and support know what comes, where they have to",
  "Legal has looked at data privacy, where it is touched",
];

/** Of every wave. */
export const eachWave: readonly string[] = [
  "Logs and dashboards were looked through for anything new",
  "The team is at ease with what it sees, customers' words included",
];

/** Of the second half of the traffic on. */
export const largeWave: readonly string[] = ["What it costs is acceptable", "Whoever is not on it yet was told"];

/** Of the last wave. */
export const lastWave: readonly string[] = ["Support is trained and stands by, and so does the incident commander"];

/** Afterwards. */
export const afterRelease: readonly string[] = [
  "Flags that only the rollout needed are gone from the code",
  "Logs of the rollout are kept, and costs are put where they belong",
  "What was learned is written down, and the next improvement planned",
];
