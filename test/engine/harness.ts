// Runs the real Pulumi engine on our program, against the stand-in provider, in a throw-away project folder.
import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const STACK = "test";
/** A command that hangs fails its test in words, before the test runner cuts it off. */
const TIMEOUT_MS = 120_000;
const GRACE_MS = 5_000;

export interface Step {
  /** create, update, delete, replace, create-replacement, delete-replaced, read, refresh; never `same`. */
  op: string;
  type: string;
  name: string;
  urn: string;
  /** The top-level inputs that changed; empty for anything but an update or a replacement. */
  diffs: string[];
}

export interface EngineRun {
  exitCode: number;
  /** What the engine announced, in its order, without the resources it left alone and without refresh reads. */
  steps: Step[];
  /** What a refresh found changed (`update`) or gone (`delete`) behind our back. */
  drifted: Step[];
  /** The resources whose operation failed. */
  failed: Step[];
  /** Errors, warnings and info as the user would see them, in order. */
  messages: { severity: "error" | "warning" | "info"; urn?: string; text: string }[];
  /** All error messages in one string, for `toContain`. */
  errors: string;
  /** What policy packs reported, in order; none unless `--policy-pack` was given. */
  violations: PolicyViolation[];
  stderr: string;
}

/** A resource in the engine's state. */
export interface StateResource {
  urn: string;
  type: string;
  custom: boolean;
  id?: string;
  parent?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  dependencies?: string[];
  protect?: boolean;
  retainOnDelete?: boolean;
}

/** What a policy said of a resource. */
export interface PolicyViolation {
  policy: string;
  level: "mandatory" | "advisory";
  message: string;
  urn?: string;
}

/** One call of the engine to the stand-in provider. */
export interface ProviderCall {
  op: "check" | "diff" | "create" | "read" | "update" | "delete" | "invoke";
  type: string;
  urn?: string;
  id?: string;
  preview?: boolean;
  inputs?: Record<string, unknown>;
  oldInputs?: Record<string, unknown>;
}

export interface EngineOptions {
  /** Absolute path of the program; the one Pulumi.yaml names by default. */
  program?: string;
  /** Absolute path of the project file. */
  projectFile?: string;
  /** Stack config, keys with their namespace: `{ "aws:region": "eu-west-1", "tidegate:services": {…} }`. */
  config?: Record<string, unknown>;
  /** ELBv2 emulator that load balancers, listeners, rules and target groups are mirrored to. */
  elbv2Endpoint?: string;
  /** Makes the suffixes of this stack's physical names its own; stacks that share an emulator need it. */
  suffixSeed?: string;
  /** Module whose `invoke(input)` answers `aws.lambda.Invocation`. */
  lambdaModule?: string;
  /** More environment for the program and the provider. */
  env?: Record<string, string>;
}

interface RunOptions {
  args?: string[];
  env?: Record<string, string>;
  timeoutMs?: number;
}

const onPath = (name: string): boolean =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Whether the CLI and its language host are there. A caller that skips on false must say so: a skipped test is not a passed one. */
export function engineOnPath(): boolean {
  return onPath("pulumi") && onPath("pulumi-language-nodejs");
}

/** The calls that would have changed the cloud, in order. */
export const mutations = (calls: ProviderCall[]): ProviderCall[] =>
  calls.filter((call) => ["create", "update", "delete"].includes(call.op) && !call.preview);

export const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");
const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";

export class Engine {
  private readonly logFile: string;
  private readonly env: Record<string, string>;

  private constructor(
    /** The project folder: Pulumi.yaml and the stack's config, nothing else of ours. */
    readonly dir: string,
    private readonly configFile: string,
    private readonly options: EngineOptions,
    private readonly stack = STACK,
  ) {
    this.logFile = join(dir, `provider-calls-${stack}.jsonl`);
    const inherited = Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !/^(AWS|PULUMI|STAND_IN|VITEST|NODE_OPTIONS)/.test(entry[0]),
    );
    this.env = {
      ...Object.fromEntries(inherited),
      PULUMI_HOME: join(dir, "home"),
      PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      // One shape of output for preview and up.
      PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
      STAND_IN_LOG: this.logFile,
      ...(options.elbv2Endpoint ? { STAND_IN_ELBV2_ENDPOINT: options.elbv2Endpoint } : {}),
      ...(options.suffixSeed === undefined ? {} : { STAND_IN_SUFFIX_SEED: options.suffixSeed }),
      ...(options.lambdaModule ? { STAND_IN_LAMBDA_MODULE: options.lambdaModule } : {}),
      ...options.env,
    };
  }

  static async start(options: EngineOptions = {}): Promise<Engine> {
    if (!engineOnPath()) throw new Error("pulumi and pulumi-language-nodejs must be on PATH");
    const projectFile = options.projectFile ?? join(ROOT, "Pulumi.yaml");
    if (!existsSync(projectFile)) throw new Error(`no project file at ${projectFile}`);
    const project = parse(readFileSync(projectFile, "utf8"));
    const program = options.program ?? resolve(dirname(projectFile), project.main ?? ".");
    const dir = mkdtempSync(join(tmpdir(), "tidegate-engine-"));
    const configFolder = join(dir, project.stackConfigDir ?? ".");
    await mkdir(configFolder, { recursive: true });
    await mkdir(join(dir, "state"));
    // `main` may be absolute, and the program then runs in its own folder: it sees our node_modules, its state is elsewhere.
    // The provider could be found on PATH too, but then every command warns about it.
    const providers = ["aws", "grafana", "datadog", "pagerduty", "kubernetes"].map((name) => ({
      name,
      path: join(HERE, "bin"),
    }));
    const plugins = { providers };
    writeFileSync(join(dir, "Pulumi.yaml"), stringify({ ...project, main: program, plugins }));
    const configFile = join(configFolder, `Pulumi.${STACK}.yaml`);
    writeFileSync(configFile, stringify({ config: options.config ?? {} }));
    const engine = new Engine(dir, configFile, options);
    await engine.pulumi(["stack", "init", STACK]);
    return engine;
  }

  /** Another stack of the same project, in the same backend: one that this one's outputs are there for. */
  async addStack(stack: string, config: Record<string, unknown>): Promise<Engine> {
    const configFile = join(dirname(this.configFile), `Pulumi.${stack}.yaml`);
    writeFileSync(configFile, stringify({ config }));
    const engine = new Engine(this.dir, configFile, this.options, stack);
    await engine.pulumi(["stack", "init", stack, "--no-select"]);
    return engine;
  }

  /** `pulumi state move`: a resource and all under it, out of this stack's state into another's. */
  async moveTo(other: Engine, urn: string): Promise<void> {
    await this.pulumi(["state", "move", "--yes", "--source", this.stack, "--dest", other.stack, urn]);
  }

  up = (options: RunOptions = {}): Promise<EngineRun> => this.operation(["up", "--yes", "--skip-preview"], options);
  /** As a person runs it: the preview comes first, and the `up` ends with it where it fails. */
  upAfterPreview = (options: RunOptions = {}): Promise<EngineRun> => this.operation(["up", "--yes"], options);
  preview = (options: RunOptions = {}): Promise<EngineRun> => this.operation(["preview"], options);
  /** What `preview --json` prints, as it is; `env` chooses its form. */
  previewText = ({
    args = [],
    env = {},
  }: RunOptions = {}): Promise<{ exitCode: number; stdout: string; stderr: string }> =>
    this.run(["preview", "--json", "--stack", STACK, ...args], env);
  refresh = (options: RunOptions = {}): Promise<EngineRun> =>
    this.operation(["refresh", "--yes", "--skip-preview"], options);
  destroy = (options: RunOptions = {}): Promise<EngineRun> =>
    this.operation(["destroy", "--yes", "--skip-preview"], options);

  /** `pulumi config set --path`, as a user would: `tidegate:services.checkout.wave`, `25`. */
  async configSet(path: string, value: string | number): Promise<void> {
    await this.pulumi(["config", "set", "--path", "--plaintext", "--stack", this.stack, "--", path, String(value)]);
  }

  /** Replaces the whole value of some keys, for tests that are not about the command. */
  setConfig(config: Record<string, unknown>): void {
    const file = parse(readFileSync(this.configFile, "utf8"));
    writeFileSync(this.configFile, stringify({ ...file, config: { ...file.config, ...config } }));
  }

  /** The stack's state as the engine keeps it: every resource with its inputs, outputs and what it hangs on. */
  async state(): Promise<StateResource[]> {
    const { deployment } = JSON.parse(await this.pulumi(["stack", "export", "--show-secrets", "--stack", this.stack]));
    return deployment.resources ?? [];
  }

  async outputs(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.pulumi(["stack", "output", "--json", "--show-secrets", "--stack", this.stack]));
  }

  /** The provider's calls so far, oldest first. */
  calls(): ProviderCall[] {
    if (!existsSync(this.logFile)) return [];
    const lines = readFileSync(this.logFile, "utf8").split("\n").filter(Boolean);
    return lines.map((line): ProviderCall => JSON.parse(line));
  }

  forgetCalls(): void {
    rmSync(this.logFile, { force: true });
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async operation(command: string[], { args = [], env = {}, timeoutMs }: RunOptions): Promise<EngineRun> {
    const { exitCode, stdout, stderr } = await this.run(
      [...command, "--json", "--stack", this.stack, ...args],
      env,
      timeoutMs,
    );
    return { exitCode, stderr, ...readEvents(stdout) };
  }

  private async pulumi(args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args);
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${stderr}${stdout}`);
    return stdout;
  }

  private run(args: string[], env: Record<string, string> = {}, timeoutMs = TIMEOUT_MS) {
    const all = ["--non-interactive", "--color", "never", ...args];
    return new Promise<{ exitCode: number; stdout: string; stderr: string }>((done, fail) => {
      const child = spawn("pulumi", all, {
        cwd: this.dir,
        env: { ...this.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
      let timedOut = false;
      let kill: NodeJS.Timeout | undefined;
      const timer = setTimeout(() => {
        timedOut = true;
        // Interrupted, the CLI stops its plugins itself; killed, it would leave them behind.
        child.kill("SIGINT");
        kill = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
      }, timeoutMs);
      child.on("error", fail).on("close", (code) => {
        clearTimeout(timer);
        clearTimeout(kill);
        if (timedOut)
          fail(new Error(`pulumi ${args[0]} ran longer than ${timeoutMs} ms:\n${stderr}${stdout.slice(-2_000)}`));
        else done({ exitCode: code ?? -1, stdout, stderr });
      });
    });
  }
}

interface Metadata {
  op: string;
  urn: string;
  diffs?: string[] | null;
  new?: unknown;
}
interface EngineEvent {
  resourcePreEvent?: { metadata: Metadata };
  resOutputsEvent?: { metadata: Metadata };
  resOpFailedEvent?: { metadata: Metadata };
  diagnosticEvent?: { urn?: string; prefix?: string; message: string; severity: string };
  policyEvent?: { resourceUrn?: string; message: string; policyName: string; enforcementLevel: string };
}

const QUIET = ["same", "refresh"];
const toStep = ({ op, urn, diffs }: Metadata): Step => ({
  op,
  type: typeOf(urn),
  name: nameOf(urn),
  urn,
  diffs: diffs ?? [],
});

/** `refresh` reports drift as an update or a delete that it announced as a refresh; `up` as a refresh with differences, or with no new state. */
function driftIn(events: EngineEvent[]): Step[] {
  const announced = new Map<string, string>();
  return events.flatMap(({ resourcePreEvent: before, resOutputsEvent: after }) => {
    if (before) announced.set(before.metadata.urn, before.metadata.op);
    if (!after || announced.get(after.metadata.urn) !== "refresh") return [];
    const step = toStep(after.metadata);
    if (step.op === "refresh" && after.metadata.new === null) return [{ ...step, op: "delete" }];
    if (step.op === "refresh" && step.diffs.length > 0) return [{ ...step, op: "update" }];
    return QUIET.includes(step.op) ? [] : [step];
  });
}

function readEvents(stdout: string): Omit<EngineRun, "exitCode" | "stderr"> {
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  const events = lines.map((line): EngineEvent => JSON.parse(line));
  const steps = events.flatMap((event) => (event.resourcePreEvent ? [toStep(event.resourcePreEvent.metadata)] : []));
  const drifted = driftIn(events);
  const failed = events.flatMap((event) => (event.resOpFailedEvent ? [toStep(event.resOpFailedEvent.metadata)] : []));
  const messages = events.flatMap(({ diagnosticEvent: said }): EngineRun["messages"] => {
    if (!said || said.severity === "debug") return [];
    const severity = said.severity === "error" || said.severity === "warning" ? said.severity : "info";
    return [{ severity, ...(said.urn ? { urn: said.urn } : {}), text: said.message.trimEnd() }];
  });
  const errors = messages.filter((message) => message.severity === "error");
  const violations = events.flatMap(({ policyEvent: said }): PolicyViolation[] => {
    if (!said) return [];
    const { policyName: policy, message, enforcementLevel, resourceUrn: urn } = said;
    return [
      { policy, level: enforcementLevel === "mandatory" ? "mandatory" : "advisory", message, ...(urn ? { urn } : {}) },
    ];
  });
  return {
    steps: steps.filter((step) => !QUIET.includes(step.op)),
    drifted,
    failed,
    messages,
    errors: errors.map((e) => e.text).join("\n"),
    violations,
  };
}
