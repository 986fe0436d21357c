/** A fresh process: loads one bundle, handles one event, prints how long that took. Lambda's own start is before it and the same for all. */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

const [bundle = "", eventFile = ""] = process.argv.slice(2);
const event = JSON.parse(readFileSync(eventFile, "utf8"));
const before = process.cpuUsage();
const startedAt = performance.now();
const { handler } = await import(bundle);
const loadedAt = performance.now();
await handler(event, { invokedFunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:bench:live" });
const endedAt = performance.now();
const { user, system } = process.cpuUsage(before);
const figures = {
  loadMilliseconds: loadedAt - startedAt,
  wallMilliseconds: endedAt - startedAt,
  cpuMilliseconds: (user + system) / 1_000,
};
// The hook's own log lines go to standard output, so the figures go elsewhere.
process.send?.(figures, () => process.exit(0));
