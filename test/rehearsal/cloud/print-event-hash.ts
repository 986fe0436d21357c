/** Prints the SHA-256 of a rollback's whole event log; run in processes of different time zones and locales. */
import "../../../core/stack-traces.ts";
import { createHash } from "node:crypto";
import { Scene } from "./scene.ts";

const scene = new Scene("dev", { seed: Number(process.argv[2]) });
await scene.stage();
await scene.openUpTo(25);
await scene.wait(3);
scene.cloud.inject({ kind: "error-spike", digest: scene.canary, magnitude: 0.02 });
await scene.wait(10);
const log = JSON.stringify([scene.events, scene.cloud.counts("checkout"), scene.cloud.record("checkout")]);
console.log(createHash("sha256").update(log).digest("hex"));
