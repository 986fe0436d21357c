/**
 * Runs a Pulumi program under mocks and answers everything it registered, every output awaited. Strict: a look-up nobody answered
 * throws by its token, and any error that Pulumi lets slip as an unhandled rejection fails the run.
 */
import * as pulumi from "@pulumi/pulumi";
import { getMonitor } from "@pulumi/pulumi/runtime/settings.js";

/** One registered resource. */
export interface RegisteredResource {
  readonly type: string;
  readonly name: string;
  /** `type name` of the parent; undefined for the stack itself. */
  readonly parent: string | undefined;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Names of what it depends on, sorted; implicit dependencies included. */
  readonly dependsOn: readonly string[];
  /** Names of the resource hooks before its update. */
  readonly hooks: readonly string[];
  readonly custom: boolean;
  readonly protect: boolean;
  /** Paths of inputs that the engine leaves as they are after creation. */
  readonly ignoreChanges: readonly string[];
}

export interface PulumiRun<T> {
  readonly outputs: T;
  /** In the order of registration, the stack left out. */
  readonly resources: readonly RegisteredResource[];
  /** Outputs that components registered, by component name. */
  readonly componentOutputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Custom resources only, as `type name`. */
  names(): string[];
  /** The one resource of a type whose name ends like this. Throws when there is none or more than one. */
  the(type: string, name?: string): RegisteredResource;
  all(type: string): RegisteredResource[];
}

export interface RunOptions {
  readonly preview?: boolean;
  /** Answers look-ups beside the standing ones. */
  readonly call?: (args: pulumi.runtime.MockCallArgs) => pulumi.runtime.MockCallResult | undefined;
  /** Makes a resource fail: answers the error, or undefined. */
  readonly fail?: (args: pulumi.runtime.MockResourceArgs) => Error | undefined;
}

export const account = "123456789012";
export const region = "eu-west-1";
const elb = `arn:aws:elasticloadbalancing:${region}:${account}`;

/** ARN and dimension of what the program makes; any other resource gets a plain ARN of its type and name. */
function stateOf(args: pulumi.runtime.MockResourceArgs): { id: string; state: Record<string, unknown> } {
  const inputs = args.inputs as Record<string, unknown>;
  const name = String(inputs.name ?? args.name);
  switch (args.type) {
    case "aws:lb/targetGroup:TargetGroup": {
      const arnSuffix = `targetgroup/${name}/00000000000000aa`;
      return { id: `${elb}:${arnSuffix}`, state: { ...inputs, arn: `${elb}:${arnSuffix}`, arnSuffix } };
    }
    case "aws:lb/loadBalancer:LoadBalancer": {
      const arnSuffix = `app/${name}/00000000000000bb`;
      const arn = `${elb}:loadbalancer/${arnSuffix}`;
      return { id: arn, state: { ...inputs, arn, arnSuffix } };
    }
    case "aws:lb/listener:Listener": {
      const arn = `${String(inputs.loadBalancerArn).replace(":loadbalancer/", ":listener/")}/00000000000000cc`;
      return { id: arn, state: { ...inputs, arn } };
    }
    case "aws:lb/listenerRule:ListenerRule": {
      const arn = `${String(inputs.listenerArn).replace(":listener/", ":listener-rule/")}/${args.name}`;
      return { id: arn, state: { ...inputs, arn } };
    }
    case "aws:lambda/function:Function":
      return {
        id: name,
        state: { ...inputs, arn: `arn:aws:lambda:${region}:${account}:function:${name}`, version: "1" },
      };
    case "aws:lambda/invocation:Invocation":
      return { id: args.name, state: { ...inputs, result: "{}" } };
    default: {
      const service = args.type.split(":")[1]?.split("/")[0] ?? "unknown";
      const arn = `arn:aws:${service}:${region}:${account}:${name}`;
      return { id: name, state: { ...inputs, name, arn, url: `https://sqs.example/${name}` } };
    }
  }
}

/** Look-ups that a program of an adopted listener and adopted groups makes. */
function answerCall({ token, inputs }: pulumi.runtime.MockCallArgs): Record<string, unknown> {
  switch (token) {
    case "aws:lb/getListener:getListener": {
      const arn = String(inputs.arn);
      const loadBalancerArn = arn.replace(":listener/", ":loadbalancer/").replace(/\/[^/]+$/, "");
      return { arn, loadBalancerArn };
    }
    case "aws:lb/getTargetGroup:getTargetGroup":
      return {
        arn: inputs.arn,
        stickiness: { enabled: false, type: "lb_cookie", cookieDuration: 86_400, cookieName: "" },
      };
    default:
      throw new Error(`look-up without an answer: ${token}`);
  }
}

interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getProtect(): boolean;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getHooks(): { getBeforeUpdateList(): string[] } | undefined;
  getObject(): { toJavaScript(): Record<string, unknown> };
  getUrn(): string;
  getOutputs(): { toJavaScript(): Record<string, unknown> };
}
type Handler = (request: RegisterRequest, callback: unknown) => unknown;
interface HookRequest {
  getName(): string;
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;

interface Capture {
  readonly requests: RegisterRequest[];
  readonly componentOutputs: Record<string, Record<string, unknown>>;
}

/** Mocks see inputs only; parents, dependencies, hooks and component outputs are in the requests to the monitor. */
function wrapMonitor(): Capture {
  const requests: RegisterRequest[] = [];
  const componentOutputs: Record<string, Record<string, unknown>> = {};
  const monitor = getMonitor() as unknown as Record<
    string,
    Handler | ((r: HookRequest, c: (e: null, a: object) => void) => void)
  >;
  const register = (monitor.registerResource as Handler).bind(monitor);
  const registerOutputs = (monitor.registerResourceOutputs as Handler).bind(monitor);
  monitor.registerResource = (request: RegisterRequest, callback: unknown) => {
    requests.push(request);
    return register(request, callback);
  };
  monitor.registerResourceOutputs = (request: RegisterRequest, callback: unknown) => {
    componentOutputs[nameOf(request.getUrn())] = request.getOutputs().toJavaScript();
    return registerOutputs(request, callback);
  };
  // The mock monitor has no such method; without it a resource hook makes the run hang.
  monitor.registerResourceHook = (_request: HookRequest, callback: (error: null, answer: object) => void) => {
    callback(null, {});
  };
  return { requests, componentOutputs };
}

function resourceOf(request: RegisterRequest): RegisteredResource {
  const parent = request.getParent();
  const [, , types] = parent.split("::");
  return {
    type: request.getType(),
    name: request.getName(),
    parent: parent === "" ? undefined : `${types?.split("$").at(-1)} ${nameOf(parent)}`,
    inputs: request.getObject().toJavaScript(),
    dependsOn: [...new Set(request.getDependenciesList().map(nameOf))].sort(),
    hooks: request.getHooks()?.getBeforeUpdateList() ?? [],
    custom: request.getCustom(),
    protect: request.getProtect(),
    ignoreChanges: request.getIgnorechangesList(),
  };
}

/** Waits for every registration; Pulumi exports it and leaves it out of its types. */
function drained(): Promise<void> {
  return (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
}

/** Resolves every output in a value. */
function settled<T>(value: T): Promise<pulumi.Unwrap<T>> {
  return new Promise((resolve) => {
    pulumi.output(value).apply((resolved) => resolve(resolved));
  });
}

async function withRejectionsCaught<T>(body: (rejected: Promise<never>) => Promise<T>): Promise<T> {
  const before = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  let reject: (reason: unknown) => void = () => {};
  const rejected = new Promise<never>((_, fail) => {
    reject = fail;
  });
  rejected.catch(() => {});
  process.on("unhandledRejection", reject);
  const tick = () => new Promise((resolve) => setTimeout(resolve, 0));
  try {
    const result = await body(rejected);
    await Promise.race([rejected, tick()]);
    return result;
  } finally {
    pulumi.runtime.disconnectSync();
    await tick();
    process.removeAllListeners("unhandledRejection");
    for (const listener of before) process.on("unhandledRejection", listener);
  }
}

/** Runs a program once; calls may follow one another in a process, not overlap. */
export async function runPulumi<T>(
  program: () => T | Promise<T>,
  options: RunOptions = {},
): Promise<PulumiRun<pulumi.Unwrap<T>>> {
  const mocks: pulumi.runtime.Mocks = {
    newResource(args) {
      const error = options.fail?.(args);
      if (error) throw error;
      return args.custom === false ? { id: undefined, state: args.inputs } : stateOf(args);
    },
    call: (args) => options.call?.(args) ?? answerCall(args),
  };
  await pulumi.runtime.setMocks(mocks, "tidegate", "test", options.preview ?? false, "example");
  pulumi.runtime.setAllConfig({});
  const capture = wrapMonitor();

  const outputs = await withRejectionsCaught(async (rejected) => {
    let thrown: { readonly error: unknown } | undefined;
    let outcome: { readonly value: T } | undefined;
    await Promise.race([
      rejected,
      pulumi.runtime.runInPulumiStack(async () => {
        try {
          outcome = { value: await program() };
        } catch (error) {
          thrown = { error };
        }
        return {};
      }),
    ]);
    if (thrown) throw thrown.error;
    if (!outcome) throw new Error("the program never ended");
    const value = await Promise.race([rejected, settled(outcome.value)]);
    await Promise.race([rejected, drained()]);
    return value;
  });

  const resources = capture.requests.map(resourceOf).filter(({ type }) => type !== "pulumi:pulumi:Stack");
  return {
    outputs,
    resources,
    componentOutputs: capture.componentOutputs,
    names: () => resources.filter(({ custom }) => custom).map(({ type, name }) => `${type} ${name}`),
    all: (type) => resources.filter((resource) => resource.type === type),
    the(type, name = "") {
      const found = resources.filter((resource) => resource.type === type && resource.name.endsWith(name));
      const [only] = found;
      if (!only || found.length > 1) throw new Error(`${type} …${name}: got ${found.length} resources; expected one`);
      return only;
    },
  };
}
