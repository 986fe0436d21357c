/**
 * Runs a Pulumi program under mocks and keeps everything it registered as plain data: the resources with their resolved inputs and
 * what they hang on, and the guards tied to their writes.
 *
 * Pulumi's runtime is one per process, so captures wait for each other. Every error of a program is also an unhandled rejection
 * there, and a failing registration may leave the run pending for ever: the first rejection ends the run.
 */
import * as pulumi from "@pulumi/pulumi";
import type { GuardBinding } from "../../components/write-guard.ts";
import { createdBy, lookedUp } from "./aws-outputs.ts";
import { NotRehearsedError } from "./errors.ts";
import { type CapturedHook, type HookLists, HookRecorder } from "./hook-recorder.ts";
import { type PlainInputs, plainFields } from "./plain-inputs.ts";

export interface CapturedResource {
  /** `type name`; what state is kept by. */
  readonly key: string;
  readonly type: string;
  readonly name: string;
  /** False for components. */
  readonly custom: boolean;
  readonly parent: string | undefined;
  /** Keys, of the registration's own list: everything whose outputs it uses, and `dependsOn`. */
  readonly dependencies: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly hooks: readonly CapturedHook[];
  readonly inputs: PlainInputs;
  readonly id: string;
  /** Of a component what it registered, else what the provider answered beyond the inputs. */
  readonly outputs: PlainInputs;
}

export interface Capture {
  /** Dependencies first, else by key: the order of registration would depend on timing. */
  readonly resources: readonly CapturedResource[];
  /** ARNs of what the program adopted, in the order looked up. */
  readonly adopted: readonly string[];
  readonly outputs: PlainInputs;
}

/** What a program is run as. */
export interface CaptureOptions {
  readonly organization: string;
  readonly project: string;
  readonly stack: string;
  readonly region: string;
}

/** A program to capture; it must tie its guards through the binding given to it. */
export type CapturedProgram = (guards: GuardBinding) => Promise<unknown>;

interface Registration {
  inputs: Record<string, unknown>;
  id: string;
  created: Readonly<Record<string, unknown>>;
}

interface Registered {
  readonly key: string;
  readonly urn: string;
  readonly request: RegisterRequest;
}

/** What is read of Pulumi's registration request. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getProtect(): boolean | undefined;
  getRetainondelete(): boolean | undefined;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getHooks(): HookLists | undefined;
}

type Answer<T> = (error: Error | null, answer: T | undefined) => void;

/** The mock monitor as far as it is wrapped; Pulumi's own types do not name it. */
interface WrappedMonitor {
  registerResource(request: RegisterRequest, answer: Answer<{ getUrn(): string }>): unknown;
  registerResourceHook(request: unknown, answer: Answer<object>): unknown;
  getRegisteredResources(): Map<string, { readonly state: unknown }>;
}

function keyOf(type: string, name: string): string {
  return `${type} ${name}`;
}

let queue: Promise<unknown> = Promise.resolve();

/**
 * Captures one run.
 * @throws whatever the program throws, with the reason a provider gave for a refusal
 * @throws NotRehearsedError naming resource types, look-ups, hooks and options that are not modelled
 */
export function capture(options: CaptureOptions, program: CapturedProgram): Promise<Capture> {
  const run = queue.then(() => captureNow(options, program));
  queue = run.catch(() => {});
  return run;
}

async function captureNow(options: CaptureOptions, program: CapturedProgram): Promise<Capture> {
  const registrations = new Map<string, Registration>();
  const adopted: string[] = [];
  const hooks = new HookRecorder();
  // Pulumi wraps what a provider refuses until its text is lost, so the first refusal is kept here.
  let refusal: { readonly error: unknown } | undefined;
  const answering = async <T>(answer: () => Promise<T>): Promise<T> => {
    try {
      return await answer();
    } catch (error) {
      refusal ??= { error };
      throw error;
    }
  };
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, custom }) =>
        answering(async () => {
          const key = keyOf(type, name);
          if (registrations.has(key)) throw new NotRehearsedError(`${key}: registered twice in one run`);
          const plain = await plainFields(inputs, key);
          const made = custom ? createdBy({ type, name, inputs: plain }, options.region) : { id: "", outputs: {} };
          registrations.set(key, { inputs: plain, id: made.id, created: made.outputs });
          return { id: made.id, state: { ...inputs, ...made.outputs } };
        }),
      call: ({ token, inputs }) =>
        answering(async () => {
          const answer = lookedUp(token, await plainFields(inputs, token));
          if (typeof answer.arn === "string") adopted.push(answer.arn);
          return answer;
        }),
    },
    options.project,
    options.stack,
    false,
    options.organization,
  );
  pulumi.runtime.setAllConfig({ "aws:region": options.region });
  const monitor = pulumi.runtime.getMonitor() as unknown as WrappedMonitor;
  const registered = wrap(monitor);
  try {
    await settle(() => program(hooks.binding));
  } catch (error) {
    throw refusal ? refusal.error : error;
  }
  return assemble({ registrations, registered, monitor, hooks, adopted });
}

/** Notes what a registration hangs on, which mocks are not told. */
function wrap(monitor: WrappedMonitor): Registered[] {
  const registered: Registered[] = [];
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, answer) =>
    register(request, (error, response) => {
      if (response) {
        registered.push({ key: keyOf(request.getType(), request.getName()), urn: response.getUrn(), request });
      }
      answer(error, response);
    });
  // The mock monitor has no such call; without it a hook object leaves the run pending for ever.
  monitor.registerResourceHook = (_request, answer) => answer(null, {});
  return registered;
}

/** Runs the program to its very end, or to the first rejection that nobody else hears. */
async function settle(program: () => Promise<unknown>): Promise<void> {
  const before = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  const rejection = new Promise<never>((_, reject) => process.on("unhandledRejection", reject));
  rejection.catch(() => {});
  // Pulumi keeps a stack trace for every resource and output; that is most of a run's time.
  const stackTraceLimit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    let thrown: { readonly error: unknown } | undefined;
    const running = pulumi.runtime.runInPulumiStack(async () => {
      try {
        return await program();
      } catch (error) {
        thrown = { error };
        return {};
      }
    });
    await Promise.race([rejection, running]);
    if (thrown) throw thrown.error;
    await Promise.race([rejection, waitForRegistrations()]);
    await Promise.race([rejection, nextTurn()]);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    pulumi.runtime.disconnectSync();
    await nextTurn();
    process.removeAllListeners("unhandledRejection");
    for (const listener of before) process.on("unhandledRejection", listener);
  }
}

/** Exported by Pulumi's runtime, but not declared. */
async function waitForRegistrations(): Promise<void> {
  const waitForRPCs: unknown = Reflect.get(pulumi.runtime, "waitForRPCs");
  if (typeof waitForRPCs !== "function") throw new Error("@pulumi/pulumi has no waitForRPCs; this needs 3.248");
  await waitForRPCs();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

async function assemble(run: {
  registrations: ReadonlyMap<string, Registration>;
  registered: readonly Registered[];
  monitor: WrappedMonitor;
  hooks: HookRecorder;
  adopted: readonly string[];
}): Promise<Capture> {
  const keyByUrn = new Map(run.registered.map(({ urn, key }) => [urn, key]));
  const states = run.monitor.getRegisteredResources();
  const resources: CapturedResource[] = [];
  let outputs: PlainInputs = {};
  for (const { key, urn, request } of run.registered) {
    const registration = run.registrations.get(key);
    if (!registration) throw new NotRehearsedError(`${key}: registered without inputs`);
    const custom = request.getCustom();
    const registeredOutputs = custom ? registration.created : outputsOf(states.get(urn)?.state);
    const plainOutputs = await plainFields(registeredOutputs, `${key} outputs`);
    if (request.getType() === "pulumi:pulumi:Stack") {
      outputs = plainOutputs;
      continue;
    }
    const inputs = await plainFields(registration.inputs, key);
    resources.push({
      key,
      type: request.getType(),
      name: request.getName(),
      custom,
      parent: keyByUrn.get(request.getParent()),
      dependencies: request.getDependenciesList().flatMap((dependency) => keyByUrn.get(dependency) ?? []),
      ignoreChanges: request.getIgnorechangesList(),
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
      hooks: await run.hooks.hooksOf(key, request.getHooks(), inputs),
      inputs,
      id: registration.id,
      outputs: plainOutputs,
    });
  }
  return { resources: dependenciesFirst(resources), adopted: [...new Set(run.adopted)].sort(), outputs };
}

/** A fixed order in which everything comes after what it depends on. */
export function dependenciesFirst<Node extends { readonly key: string; readonly dependencies: readonly string[] }>(
  nodes: Iterable<Node>,
): Node[] {
  const byKey = new Map([...nodes].map((node) => [node.key, node]));
  const ordered = new Set<Node>();
  const visit = (key: string): void => {
    const node = byKey.get(key);
    if (!node || ordered.has(node)) return;
    byKey.delete(key);
    for (const dependency of node.dependencies) visit(dependency);
    ordered.add(node);
  };
  for (const key of [...byKey.keys()].sort()) visit(key);
  return [...ordered];
}

/** Outputs come as Pulumi's wire form or, where none were registered, as the mock's own state. */
function outputsOf(state: unknown): object {
  if (typeof state !== "object" || state === null) return {};
  const toJavaScript: unknown = Reflect.get(state, "toJavaScript");
  return typeof toJavaScript === "function" ? (toJavaScript.call(state) as object) : state;
}
