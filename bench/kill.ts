/**
 * `kill` as typed: a fresh process from its start to its end, Node and the loading of TypeScript included, against AWS APIs on loopback that
 * answer at once. Through the hook, and round a hook that is gone.
 */
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { AwsStub } from "./aws-stub.ts";
import { busyMoment } from "./busy-moment.ts";

export interface KillTimes {
  /** Unit: milliseconds. */
  readonly throughHook: readonly number[];
  /** Unit: milliseconds. */
  readonly withoutHook: readonly number[];
}

/** @param repetitions of each @throws Error when a kill did not end well */
export async function measureKill(repetitions: number): Promise<KillTimes> {
  const times = { throughHook: [] as number[], withoutHook: [] as number[] };
  const { record } = await busyMoment();
  for (const [hook, into] of [
    ["done", times.throughHook],
    ["gone", times.withoutHook],
  ] as const) {
    const stub = await AwsStub.start({ record, alarming: [], livePercent: 5, hook });
    try {
      for (let repetition = 0; repetition < repetitions; repetition += 1) {
        stub.reset();
        const startedAt = performance.now();
        await killOnce(stub.url, record.environment, record.service);
        into.push(performance.now() - startedAt);
        const lowered = stub.calls.some(({ operation }) => operation === "ModifyRule");
        if (lowered !== (hook === "gone")) throw new Error(`kill with the hook ${hook}: went another way than meant`);
      }
    } finally {
      await stub.stop();
    }
  }
  return times;
}

function killOnce(url: string, environment: string, service: string): Promise<void> {
  const cli = fileURLToPath(new URL("../cli/tidegate.mjs", import.meta.url));
  const words = [
    "--environment",
    environment,
    "--region",
    "eu-west-1",
    "--service",
    service,
    "--reason",
    "bench",
    "--yes",
  ];
  const child = spawn(process.execPath, [cli, "kill", ...words], {
    cwd: tmpdir(),
    env: {
      PATH: process.env.PATH ?? "",
      AWS_ACCESS_KEY_ID: "bench",
      AWS_SECRET_ACCESS_KEY: "bench",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      AWS_ENDPOINT_URL: url,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`kill ended with ${code}: ${said}`))));
  });
}
