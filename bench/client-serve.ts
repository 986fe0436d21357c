/**
 * One server of the bench, a process of its own: `client-serve.ts <framework> <bare|measured>`. Says on which port it listens, and its
 * processor time when asked. Lines go to standard output, as they would.
 */
import "../core/stack-traces.ts";
import { requestMetrics } from "../client/metrics.ts";
import { type Framework, frameworks, serve } from "./client-servers.ts";

const [framework, kind] = process.argv.slice(2);
const known = (name: string | undefined): name is Framework => frameworks.some((each) => each === name);
if (!known(framework) || (kind !== "bare" && kind !== "measured")) {
  throw new Error(`client-serve: got ${framework} ${kind}; expected ${frameworks.join(", ")} and bare or measured`);
}
const metrics =
  kind === "measured"
    ? requestMetrics({ environment: "bench", service: "checkout", release: "bench-00000000" })
    : undefined;
const { port } = await serve(framework, metrics);
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicroseconds: user + system });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ port });
