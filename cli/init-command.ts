/** The options of `tidegate init`; what it does is loaded when it runs. */
import type { Command } from "commander";
import type { Surroundings } from "./command.ts";
import type { InitFlags } from "./init/gather.ts";

const help = `
Looks up load balancers, listeners, rules and target groups, and asks for what it cannot know. Changes nothing in the account.
Without a terminal every answer is a flag, and --yes says to write.
Region: --region, AWS_REGION, AWS_DEFAULT_REGION, the profile's. Credentials: as the AWS CLI finds them.
Exit codes: 0 done, 1 crashed, 2 an answer is missing or wrong, 3 refused; nothing is written but with 0.`;

export function addInitCommand(program: Command, surroundings: Surroundings): void {
  program
    .command("init")
    .description("writes stack file and program for one service of a load balancer in production")
    .option("--stack <stack>", "name of the new stack (default: prod)")
    .option("--service <name>", "name of the service")
    .option("--environment <name>", "name of the environment; one of a stack that is here puts the service beside it")
    .option("--foundation <stack>", "the stack that made an environment that is there already")
    .option("--listener <arn>", "the listener; --rule with an ARN says it too")
    .option("--rule <arn|priority|default>", "the rule whose requests are the service's")
    .option("--baseline-version <version>", "what the rule's target group serves now")
    .option("--canary-group <arn|name|none>", "target group of the next release")
    .option("--canary-version <version>", "what that group serves")
    .option("--email <address|none>", "who hears alarms and pages")
    .option("--plan <preset>", "plan of waves (default: steady)")
    .option("--objectives <preset>", "what is promised (default: web)")
    .option("--region <region>", "AWS region")
    .option("--profile <name>", "a profile of the shared AWS config")
    .option("--yes", "writes without asking; needed where there is no terminal")
    .option("--json", "prints one JSON object instead of text")
    .option("--dry-run", "shows what would be written, and writes nothing")
    .option("--force", "replaces a stack file of that name")
    .addHelpText("after", help)
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (flags: InitFlags) => {
      const { initCommand } = await import("./init.ts");
      await initCommand(flags, surroundings);
    });
}
