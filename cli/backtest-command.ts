/** The options of `tidegate backtest`; what it does is loaded when it runs. */
import type { Command } from "commander";
import type { BacktestFlags } from "./backtest.ts";
import type { Surroundings } from "./command.ts";

const help = `
A series is what aws cloudwatch get-metric-data prints, what Prometheus answers to query_range, or a CSV: timestamp and a column for each
series. What a series is, and in which unit, is said by --map or by its own name: requests:count, errors:count, latency-p95:seconds.
A series is named by its column, label or id, by file/name, or by its file where that has but one. No account is asked.
Exit codes: 0 replayed, whatever came out; 2 bad input, every problem listed and nothing printed.`;

export function addBacktestCommand(program: Command, surroundings: Surroundings): void {
  program
    .command("backtest")
    .description("replays recorded metrics: which alarms would have rung, false alarms a week, bounds that would do")
    .option("--objectives <preset|file>", "a preset, or a YAML file of objectives as a stack's config has them")
    .option("--series <file...>", "recorded metrics: JSON or CSV")
    .option("--map <quantity:unit=series...>", "what a series is")
    .option("--labels <file>", "JSON: when something was really wrong")
    .option("--source <source>", "alb or emf: whose alarms (default: alb)")
    .option("--zone <zone>", "of times without one: utc, or an offset such as +01:00")
    .option("--period <seconds>", "how long one point counts, where the times do not tell")
    .option("--false-alarms <number>", "false alarms a week that a suggested bound may have (default: 0)")
    .option("--json", "prints one JSON object instead of text")
    .option("--html <file>", "writes a page with pictures, too")
    .addHelpText("after", help)
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (flags: BacktestFlags) => (await import("./backtest.ts")).backtestCommand(flags, surroundings));
}
