/** A process that computes rows of the docs table, one at a time, as its parent sends them. */
import "../../core/stack-traces.ts";
import { runSeeds, type TableAnswer, type TableTask } from "./table.ts";

process.on("message", async (message) => {
  const task = message as TableTask;
  let answer: TableAnswer;
  try {
    answer = { index: task.index, runs: await runSeeds(task.of, task.seedCount) };
  } catch (error) {
    answer = {
      error: `${JSON.stringify(task.of)}: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
    };
  }
  process.send?.(answer);
});
