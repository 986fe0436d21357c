/** The `tidegate` command: hands the arguments over and turns the answer into an exit code. */
import "../core/stack-traces.ts";
import { runCommand } from "./command.ts";

process.exitCode = await runCommand(process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
  directory: process.cwd(),
  colours: process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "",
});
