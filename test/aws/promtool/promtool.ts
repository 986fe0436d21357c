/**
 * Prometheus' own tools, as tests call them: `promtool check rules`, `promtool test rules`, and a real Prometheus on loopback that is fed
 * with given series and asked over HTTP. `test/aws/run.sh` puts the tools on PATH.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A rule as promtool is given it. */
export interface PromtoolRule {
  readonly name: string;
  readonly expression: string;
}

/** What must be firing at a time after the start of the series; each with exactly these labels. */
export interface PromtoolMoment {
  readonly atSeconds: number;
  readonly rule: string;
  /** Empty: it is quiet. */
  readonly firing: readonly Readonly<Record<string, string>>[];
}

export interface PromtoolTest {
  readonly name: string;
  /** Time between two values of the series. Unit: seconds. */
  readonly seriesSeconds: number;
  readonly input: readonly { readonly series: string; readonly values: string }[];
  readonly moments: readonly PromtoolMoment[];
}

export interface Outcome {
  readonly ok: boolean;
  /** What promtool printed. */
  readonly output: string;
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-promtool-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** JSON is YAML, and needs no quoting of ours. */
function rulesFile(rules: readonly PromtoolRule[], intervalSeconds: number): string {
  return JSON.stringify({
    groups: [
      {
        name: "tidegate",
        interval: `${intervalSeconds}s`,
        rules: rules.map(({ name, expression }) => ({ alert: name, expr: expression })),
      },
    ],
  });
}

async function promtool(folder: string, args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run("promtool", args, { cwd: folder, maxBuffer: 64 * 1_024 * 1_024 });
    return { ok: true, output: stdout + stderr };
  } catch (error) {
    const failed = error as { readonly code?: unknown; readonly stdout?: string; readonly stderr?: string };
    // A number is promtool's own verdict; anything else is a promtool that did not run.
    if (typeof failed.code !== "number") throw error;
    return { ok: false, output: `${failed.stdout ?? ""}${failed.stderr ?? ""}` };
  }
}

/** `promtool check rules`. */
export function checkRules(rules: readonly PromtoolRule[]): Promise<Outcome> {
  return inFolder(async (folder) => {
    await writeFile(join(folder, "rules.json"), rulesFile(rules, 60));
    return promtool(folder, ["check", "rules", "rules.json"]);
  });
}

/**
 * `promtool test rules`: whether each rule fires exactly when it is said to.
 * @param evaluateEverySeconds how often the rules are evaluated; moments are read at evaluations. @default 60
 */
export function testRules(
  rules: readonly PromtoolRule[],
  tests: readonly PromtoolTest[],
  evaluateEverySeconds = 60,
): Promise<Outcome> {
  return inFolder(async (folder) => {
    await writeFile(join(folder, "rules.json"), rulesFile(rules, evaluateEverySeconds));
    const file = {
      rule_files: ["rules.json"],
      evaluation_interval: `${evaluateEverySeconds}s`,
      tests: tests.map(({ name, seriesSeconds, input, moments }) => ({
        name,
        interval: `${seriesSeconds}s`,
        input_series: input,
        alert_rule_test: moments.map(({ atSeconds, rule, firing }) => ({
          eval_time: `${atSeconds}s`,
          alertname: rule,
          exp_alerts: firing.map((labels) => ({ exp_labels: labels })),
        })),
      })),
    };
    await writeFile(join(folder, "test.json"), JSON.stringify(file));
    return promtool(folder, ["test", "rules", "test.json"]);
  });
}

/** One series of an answer. */
export interface QueriedSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Time in seconds since the epoch, and the value as Prometheus writes it. */
  readonly points: readonly (readonly [number, string])[];
}

/** A real Prometheus that holds what it was fed with. */
export interface RunningPrometheus {
  readonly url: string;
  query(expression: string, atMilliseconds: number): Promise<QueriedSeries[]>;
  queryRange(
    expression: string,
    range: { readonly from: number; readonly to: number; readonly stepSeconds: number },
  ): Promise<QueriedSeries[]>;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port on loopback");
  return address.port;
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: Record<string, string>;
      readonly value?: [number, string];
      readonly values?: [number, string][];
    }[];
  };
}

async function ask(url: string, path: string, parameters: Record<string, string>): Promise<QueriedSeries[]> {
  const response = await fetch(`${url}${path}`, { method: "POST", body: new URLSearchParams(parameters) });
  const answer = (await response.json()) as Answer;
  if (answer.status !== "success") throw new Error(`${parameters.query}: ${answer.error}`);
  return (answer.data?.result ?? []).map(({ metric, value, values }) => ({
    labels: metric,
    points: values ?? (value ? [value] : []),
  }));
}

/** How long Prometheus has to come up. Unit: milliseconds. */
const startMilliseconds = 30_000;

/**
 * Starts Prometheus on loopback with these samples, and nothing to scrape.
 * @param openMetrics text with timestamps, `# EOF` at its end
 */
export async function startPrometheus(openMetrics: string): Promise<RunningPrometheus> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-prometheus-"));
  await writeFile(join(folder, "samples.txt"), openMetrics);
  await writeFile(join(folder, "prometheus.yml"), "scrape_configs: []\n");
  await run("promtool", ["tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"], {
    cwd: folder,
    maxBuffer: 64 * 1_024 * 1_024,
  });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    "prometheus",
    [
      "--config.file=prometheus.yml",
      "--storage.tsdb.path=data",
      // Samples may be of any year.
      "--storage.tsdb.retention.time=100y",
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    { cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + startMilliseconds;
  for (;;) {
    const isReady = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) break;
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`prometheus did not start: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    query: (expression, atMilliseconds) =>
      ask(url, "/api/v1/query", { query: expression, time: String(atMilliseconds / 1_000) }),
    queryRange: (expression, { from, to, stepSeconds }) =>
      ask(url, "/api/v1/query_range", {
        query: expression,
        start: String(from / 1_000),
        end: String(to / 1_000),
        step: String(stepSeconds),
      }),
    stop,
  };
}
