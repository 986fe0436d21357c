/**
 * The cold path: a fresh Node process loads the hook's bundle and handles one rollback, against a bare program of the same SDK clients
 * that makes the same calls. Both run in turn, so that a machine that slows down slows both, and the ratio is taken pair by pair.
 */
import { fork } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildHookBundle, buildWatchmanBundle, bundleEntry, bundleModule } from "../hooks/bundle.ts";
import { AwsStub, type StubCall } from "./aws-stub.ts";
import { busyMoment } from "./busy-moment.ts";

/** Pairs that count, after one that does not. */
const pairs = 15;

/** Of one process, from its first own line to the end of the rollback. Unit: milliseconds. */
export interface ColdRun {
  readonly loadMilliseconds: number;
  readonly wallMilliseconds: number;
  readonly cpuMilliseconds: number;
  /** From the first call to the one that lowered the rules. */
  readonly loweredMilliseconds: number;
}

export interface ColdPath {
  readonly hook: readonly ColdRun[];
  readonly bare: readonly ColdRun[];
  readonly hookBytes: number;
  readonly watchmanBytes: number;
  readonly bareBytes: number;
  readonly calls: readonly string[];
}

/**
 * Measures both, in turn.
 * @throws Error when the hook did not lower the rules, or the bare program made other calls than the hook
 */
export async function measureColdPath(): Promise<ColdPath> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-bench-"));
  const moment = await busyMoment();
  const alarming = moment.record.alarms.find(
    ({ digest, severity, response }) =>
      digest === moment.record.canary?.digest && severity === "critical" && response === "disable",
  )?.alarmName;
  if (alarming === undefined) throw new Error("the bench has no alarm that disables");
  const stub = await AwsStub.start({ record: moment.record, alarming: [alarming], livePercent: 5 });
  try {
    const hookFolder = await buildHookBundle(join(folder, "hook"));
    const watchmanFolder = await buildWatchmanBundle(join(folder, "watchman"));
    const bareFolder = await bundleModule(fileURLToPath(new URL("bare.ts", import.meta.url)), join(folder, "bare"));
    const hookPath = join(hookFolder, bundleEntry);
    const barePath = join(bareFolder, bundleEntry);
    const eventPath = join(folder, "event.json");
    const callsPath = join(folder, "calls.json");
    writeFileSync(eventPath, JSON.stringify(alarmEvent(alarming)));
    const environment = environmentOf(stub.url, moment.record.environment, callsPath);
    const run = async (path: string): Promise<ColdRun> => {
      stub.reset();
      const startedAt = performance.now();
      const figures = await fresh(path, eventPath, environment);
      const lowered = stub.calls.find(({ operation }) => operation === "ModifyRule");
      if (!lowered) throw new Error(`${path}: no rule was lowered; nothing was measured`);
      return { ...figures, loweredMilliseconds: lowered.endedAt - startedAt };
    };
    await run(hookPath);
    const calls = stub.calls.map(({ client, operation }) => `${client} ${operation}`);
    writeFileSync(callsPath, JSON.stringify(wavesOf(stub.calls)));
    await run(barePath);
    const bareCalls = stub.calls.map(({ client, operation }) => `${client} ${operation}`);
    if ([...bareCalls].sort().join() !== [...calls].sort().join())
      throw new Error(`the bare program made other calls: ${bareCalls.join(", ")} instead of ${calls.join(", ")}`);
    const hook: ColdRun[] = [];
    const bare: ColdRun[] = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      // Which of the two goes first changes, too.
      for (const [path, runs] of pair % 2 === 0
        ? ([
            [hookPath, hook],
            [barePath, bare],
          ] as const)
        : ([
            [barePath, bare],
            [hookPath, hook],
          ] as const))
        runs.push(await run(path));
    }
    return {
      hook,
      bare,
      hookBytes: bytesIn(hookFolder),
      watchmanBytes: bytesIn(watchmanFolder),
      bareBytes: bytesIn(bareFolder),
      calls,
    };
  } finally {
    await stub.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** As CloudWatch sends it. Source: CloudWatch user guide, "Alarm events and EventBridge", read 2026-11. */
function alarmEvent(alarmName: string): object {
  return {
    version: "0",
    id: "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "detail-type": "CloudWatch Alarm State Change",
    source: "aws.cloudwatch",
    account: "123456789012",
    time: "2026-11-02T17:04:40Z",
    region: "eu-west-1",
    resources: [`arn:aws:cloudwatch:eu-west-1:123456789012:alarm:${alarmName}`],
    detail: { alarmName, state: { value: "ALARM" }, previousState: { value: "OK" } },
  };
}

function environmentOf(url: string, environment: string, callsPath: string): Record<string, string> {
  const topic = (severity: string) => `arn:aws:sns:eu-west-1:123456789012:tidegate-${environment}-${severity}`;
  return {
    PATH: process.env.PATH ?? "",
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    AWS_ENDPOINT_URL: url,
    POWERTOOLS_SERVICE_NAME: "tidegate-hook",
    POWERTOOLS_METRICS_NAMESPACE: "Tidegate/Hook",
    TIDEGATE_ENVIRONMENT: environment,
    TIDEGATE_TABLE: `tidegate-${environment}`,
    TIDEGATE_ACCOUNT: "123456789012",
    TIDEGATE_CRITICAL_TOPIC: topic("critical"),
    TIDEGATE_WARNING_TOPIC: topic("warnings"),
    TIDEGATE_RUNBOOKS: "https://example.com/runbooks",
    TIDEGATE_PAGERDUTY_SECRET: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:bench-AbCdEf",
    TIDEGATE_PAGERDUTY_ENDPOINT: url,
    BENCH_CALLS: callsPath,
  };
}

/** One process of its own, with nothing of this one's environment. */
function fresh(
  bundlePath: string,
  eventPath: string,
  env: Record<string, string>,
): Promise<Omit<ColdRun, "loweredMilliseconds">> {
  const child = fork(fileURLToPath(new URL("cold-run.mjs", import.meta.url)), [bundlePath, eventPath], {
    env,
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    let figures: Omit<ColdRun, "loweredMilliseconds"> | undefined;
    child.on("message", (message) => {
      figures = message as Omit<ColdRun, "loweredMilliseconds">;
    });
    child.once("error", reject);
    child.once("exit", (code) =>
      figures ? resolve(figures) : reject(new Error(`${bundlePath} ended with ${code}: ${said.slice(-2_000)}`)),
    );
  });
}

/** Calls that ran side by side together, in order: each wave began before any call of it had ended. */
function wavesOf(calls: readonly StubCall[]): Pick<StubCall, "client" | "operation" | "input">[][] {
  const waves: { calls: Pick<StubCall, "client" | "operation" | "input">[]; endsAt: number }[] = [];
  for (const { client, operation, input, startedAt, endedAt } of calls) {
    const wave = waves.at(-1);
    if (wave && startedAt < wave.endsAt) {
      wave.calls.push({ client, operation, input });
      wave.endsAt = Math.min(wave.endsAt, endedAt);
    } else waves.push({ calls: [{ client, operation, input }], endsAt: endedAt });
  }
  return waves.map((wave) => wave.calls);
}
