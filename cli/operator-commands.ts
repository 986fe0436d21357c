/** The commands an operator gives to a deployed environment, and their options; each loads its own file when it runs. */
import type { Command } from "commander";
import type { Surroundings } from "./command.ts";
import type { OperatorFlags } from "./operation.ts";

type Run = (flags: OperatorFlags, surroundings: Surroundings) => Promise<void>;

const placeHelp = `
Where: --stack reads environment, region and listener from Pulumi.<stack>.yaml here; else say --environment and --region.
Region: --region, the stack's, AWS_REGION, AWS_DEFAULT_REGION, the profile's. Credentials: as the AWS CLI finds them.
Exit codes: 0 done, 1 it failed half-way, 2 bad input, 3 refused, nothing was changed.`;

export function addOperatorCommands(program: Command, surroundings: Surroundings): void {
  const add = (name: string, description: string, options: (command: Command) => Command, load: () => Promise<Run>) => {
    const command = placed(program.command(name).description(description));
    options(command)
      .option("--json", "prints one JSON object instead of text")
      .addHelpText("after", placeHelp)
      .exitOverride()
      .allowExcessArguments(false)
      .action(async (flags: OperatorFlags) => (await load())(flags, surroundings));
  };
  add(
    "status",
    "where the services stand: waves, live traffic, holds, the worst thing first",
    (command) => command.option("--service <name>", "one service (default: all)"),
    async () => (await import("./status.ts")).statusCommand,
  );
  add(
    "kill",
    "takes all traffic off the canary now; works without the hook too",
    (command) =>
      changing(command)
        .option("--to <group>", "where no record can be read: the target group (name or ARN) that gets all traffic")
        .option("--listener <arn>", "where no record can be read: the adopted listener with the service's rules"),
    async () => (await import("./kill.ts")).killCommand,
  );
  add(
    "pause",
    "refuses openings until resumed; lowering goes on",
    changing,
    async () => (await import("./change.ts")).pauseCommand,
  );
  add(
    "resume",
    "lets waves open again after a pause",
    changing,
    async () => (await import("./change.ts")).resumeCommand,
  );
  add(
    "acknowledge",
    "opens the latch that a rollback closed; the next attempt may begin",
    (command) => changing(command).option("--hold <id>", "one hold (default: all that stand)"),
    async () => (await import("./change.ts")).acknowledgeCommand,
  );
  add(
    "history",
    "what happened to a service, newest last; or one rollback's snapshot or post-mortem",
    (command) =>
      command
        .option("--service <name>", "the service")
        .option("--limit <number>", "the newest so many (default: 50)")
        .option("--since <time>", "from then on: 90m, 2h, 3d, or an instant such as 2026-01-05T10:00Z")
        .option("--snapshot <hold>", "prints what was measured when that hold was put")
        .option("--post-mortem <hold>", "prints a draft of its post-mortem in Markdown"),
    async () => (await import("./history.ts")).historyCommand,
  );
  add(
    "drill",
    "sets off an alarm of nobody's and waits for its page; touches no traffic",
    (command) => command,
    async () => (await import("./drill.ts")).drillCommand,
  );
}

function placed(command: Command): Command {
  return command
    .option("--stack <stack>", "the stack whose environment is meant")
    .option("--environment <name>", "the environment, instead of a stack")
    .option("--region <region>", "its AWS region")
    .option("--profile <name>", "a profile of the shared AWS config");
}

function changing(command: Command): Command {
  return command
    .option("--service <name>", "the service")
    .option("--reason <text>", "why; the record keeps it, with your name")
    .option("--yes", "does it without asking; needed where there is no terminal");
}
