/** The command `report` and its options. */
import type { Command } from "commander";
import type { Surroundings } from "./command.ts";
import type { SloReportFlags } from "./slo-report.ts";

const help = `
From a CSV no account is asked: columns timestamp, service, requests, errors, and one for each further indicator (latency-p95, p95 for short).
Objectives are those of the stack's config with --stack, else those of the preset that --objectives names. --history adds rollouts and
incidents: what npx tidegate history --json printed. From CloudWatch or Prometheus, records and histories are read of the environment.
A Prometheus that wants a token finds it in TIDEGATE_PROMETHEUS_TOKEN.
Exit codes: 0 done, whatever the report says; 1 it failed, 2 bad input, 3 refused.`;

export function addReportCommand(program: Command, surroundings: Surroundings): void {
  program
    .command("report")
    .description("the SLO report: objectives against targets, error budget, rollouts, incidents, forecast")
    .option("--week <week>", "an ISO week, 2026-W47 (default: the last whole one; of a CSV the one it ends in)")
    .option("--quarter <quarter>", "a quarter, 2026-Q4")
    .option("--rollout", "the newest ended rollout of --service")
    .option("--service <name>", "one service (default: all)")
    .option("--source <source>", "cloudwatch, prometheus or csv (default: csv with --csv, else cloudwatch)")
    .option("--csv <file>", "figures out of a file")
    .option("--history <file>", "with --csv: the service's history")
    .option("--objectives <preset>", "with --csv: a preset's objectives instead of a stack's")
    .option("--prometheus <url>", "with --source prometheus: its URL, or that of Grafana's data source proxy")
    .option("--json", "prints the report as one JSON object")
    .option("--html", "prints a whole HTML page, pictures included")
    .option("--markdown", "prints Markdown (default)")
    .option("--stack <stack>", "the stack whose environment, or with --csv whose objectives, are meant")
    .option("--environment <name>", "the environment, where no stack file says it")
    .option("--region <region>", "its region")
    .option("--profile <name>", "a profile of the shared AWS config")
    .addHelpText("after", help)
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (flags: SloReportFlags) => (await import("./slo-report.ts")).sloReportCommand(flags, surroundings));
}
