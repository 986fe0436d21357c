/** The commands that workflows run before an `up`, mostly around a pull request, and their options; each loads its own file when it runs. */
import type { Command } from "commander";
import type { AdvanceFlags } from "./advance.ts";
import type { Surroundings } from "./command.ts";
import type { CommentFlags } from "./comment.ts";
import type { OperatorFlags } from "./operation.ts";

interface GateFlags extends OperatorFlags {
  readonly rules?: boolean;
}

const gateHelp = `
Decides as up does and changes nothing: asks about what the stack's file asks for already, else the next wave, else the finish.
Each finding says what it comes to: met, waits (for time or a person), cannot tell, worse, or lifted (by an overrideReason).
Exit codes: 0 the gate says promote and the up would go on; 1 anything else, which outcome of --json names: monitor, cannot-tell, roll-back,
refused, nothing; 2 bad input, or nobody could be asked: AWS or a record is not to be read; 3 no credentials were found.`;

const commentHelp = `
Policy results are in the preview only with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true; without it the comment says that they are missing.
The comment begins with <!-- tidegate:<stack> -->, so that a workflow finds its own and writes it anew.
Exit codes: 0 nothing speaks against the up, 2 bad input or not a preview of ours, 3 the up would be refused or the preview failed. The
comment is written each time, so that no older one stays.`;

const advanceHelp = `
Decides as up does, and changes one line of Pulumi.<stack>.yaml; nothing is live until pulumi up.
With --automatic it sets one wave a run.
Exit codes: 0 the file was edited, or no wave is due; 1 it failed half-way, or the file asks for a wave already that no up has opened (outcome
"asked" of --json); 2 bad input; 3 a wave is due and something holds it, no edit.`;

const checklistHelp = `
Ticks what the record, the stack's file and the gate tell; what is not met has its reason, and what only a person knows is marked so.
Exit codes: 0 printed, whatever is ticked; 2 bad input; 3 no credentials were found, or AWS could not be reached.`;

export function addPullRequestCommands(program: Command, surroundings: Surroundings): void {
  program
    .command("gate")
    .description("may the next wave open? the gate's verdict, finding by finding, as an up would hear it")
    .option("--stack <stack>", "the stack whose file and environment are meant")
    .option("--service <name>", "one service (default: all)")
    .option("--region <region>", "its AWS region, where the file does not say it")
    .option("--profile <name>", "a profile of the shared AWS config")
    .option("--json", "prints one JSON object instead of text")
    .option("--rules", "prints the table of the docs instead: what each rule asks; needs no stack")
    .addHelpText("after", gateHelp)
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (flags: GateFlags) => {
      if (flags.rules) surroundings.out((await import("./gate-rules.ts")).rulesTable());
      else await (await import("./gate.ts")).gateCommand(flags, surroundings);
    });
  program
    .command("comment")
    .description("one Markdown comment for a pull request: weights, gate, policies, rehearsal, the way back")
    .option("--stack <stack>", "the stack that was previewed")
    .option("--preview <file>", "what pulumi preview --json wrote; - reads standard input")
    .option("--policies <packs>", "policy packs that must have judged the preview, with commas between")
    .option(
      "--pulumi-exit <code>",
      "the exit code that pulumi preview ended with; not 0 is a failure whatever the file says",
    )
    .option("--expect-no-changes", "any change is drift, save what a rollback itself left")
    .option("--no-aws", "reads no record; without --preview, too, it rehearses alone")
    .option("--profile <name>", "a profile of the shared AWS config")
    .option("--json", "prints one JSON object with the comment in it")
    .addHelpText("after", commentHelp)
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (flags: CommentFlags) => (await import("./comment.ts")).commentCommand(flags, surroundings));
  program
    .command("advance")
    .description("sets the next wave in the stack's file where the gate agrees; pulumi up opens it")
    .option("--stack <stack>", "the stack whose file is edited")
    .option("--service <name>", "one service (default: all)")
    .option("--automatic", "only waves that their plan marks advance: automatic")
    .option("--dry-run", "says what it would do, and edits nothing")
    .option("--region <region>", "its AWS region, where the file does not say it")
    .option("--profile <name>", "a profile of the shared AWS config")
    .option("--json", "prints one JSON object instead of text")
    .addHelpText("after", advanceHelp)
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (flags: AdvanceFlags) => (await import("./advance.ts")).advanceCommand(flags, surroundings));
  program
    .command("checklist")
    .description("a release's checklist as Markdown: before it, each wave, afterwards")
    .option("--stack <stack>", "the stack whose file and environment are meant")
    .option("--service <name>", "one service (default: all that have a canary)")
    .option("--region <region>", "its AWS region, where the file does not say it")
    .option("--profile <name>", "a profile of the shared AWS config")
    .option("--json", "prints one JSON object instead of Markdown")
    .addHelpText("after", checklistHelp)
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (flags: OperatorFlags) => (await import("./checklist.ts")).checklistCommand(flags, surroundings));
}
