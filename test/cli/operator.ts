/**
 * An operator's machine and one deployed environment in memory: no network, no terminal, virtual time. The hook here reads events with
 * the real hook's own reader and runs its real commands.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../cli/command.ts";
import {
  type Access,
  type Connection,
  type HookAlias,
  HookCallError,
  NoCredentialsError,
  type Outside,
} from "../../cli/outside.ts";
import { acknowledge, CommandRefusedError, kill, pause, resume } from "../../hooks/commands.ts";
import { drillArrived, startDrill } from "../../hooks/drill.ts";
import { type CommandEvent, readEvent } from "../../hooks/events.ts";
import type { Ports } from "../../hooks/ports.ts";
import type { OnCall } from "../helpers/memory-ports.ts";
import { World } from "../helpers/world.ts";

export const callerArn = "arn:aws:sts::123456789012:assumed-role/on-call/an-sre";
export const here = ["--environment", "dev", "--region", "eu-west-1"];

/** How the hook behaves; each may take virtual time first. */
export type Hook = (operator: Operator, alias: HookAlias, event: unknown) => Promise<unknown>;

/** Works, in 300 ms. */
export const workingHook: Hook = async (operator, alias, raw) => {
  operator.elapse(300);
  const event = readEvent(JSON.parse(JSON.stringify(raw)));
  const ports = operator.world.cloud.ports("hook");
  if (event.kind === "drill") {
    const startedAt = await startDrill(ports);
    return {
      outcome: "drill-started",
      message: `drill started at ${new Date(startedAt).toISOString()}; its page follows`,
    };
  }
  if (event.kind !== "command") throw new Error(`no event for this hook: ${event.kind}`);
  const opens = event.command === "acknowledge" || event.command === "resume";
  if (opens !== (alias === "acknowledge")) return { outcome: "refused", message: `wrong alias ${alias}` };
  try {
    return { outcome: "done", message: await carryOut(ports, event) };
  } catch (error) {
    if (error instanceof CommandRefusedError) return { outcome: "refused", message: error.message };
    throw new HookCallError(`the hook (tidegate-dev-hook:${alias}): its run failed, got ${String(error)}`, {
      mayHaveRun: true,
    });
  }
};

function carryOut(ports: Ports, { command, service, by, reason, holdId }: CommandEvent): Promise<string> {
  const said = { by, reason };
  switch (command) {
    case "kill":
      return kill(ports, service, said);
    case "pause":
      return pause(ports, service, said);
    case "resume":
      return resume(ports, service, said);
    case "acknowledge":
      return acknowledge(ports, service, said, holdId);
  }
}

/** Never answers: virtual time runs past every limit. */
export const silentHook: Hook = async (operator) => {
  operator.elapse(60_000);
  return new Promise<never>(() => {});
};

/** Answers, but so late. */
export function slowHook(milliseconds: number): Hook {
  return async (operator, alias, event) => {
    operator.elapse(milliseconds - 300);
    return workingHook(operator, alias, event);
  };
}

export const missingHook: Hook = async (_operator, alias) => {
  throw new HookCallError(
    `the hook (tidegate-dev-hook:${alias}): not called, got ResourceNotFoundException: Function not found`,
    { mayHaveRun: false },
  );
};

export const brokenHook: Hook = async (_operator, alias) => {
  throw new HookCallError(`the hook (tidegate-dev-hook:${alias}): its run failed, got Error: out of memory`, {
    mayHaveRun: true,
  });
};

export class Operator {
  readonly world: World;
  variables: Record<string, string | undefined> = { USER: "an-sre" };
  isInteractive = false;
  /** What the person says when asked. */
  answer = true;
  readonly questions: string[] = [];
  readonly profileRegions: Record<string, string> = {};
  hook: Hook = workingHook;
  /** The invocations, in order. */
  readonly invoked: { readonly alias: HookAlias; readonly event: unknown }[] = [];
  readonly connected: Access[] = [];
  hasCredentials = true;
  stsAnswers = true;
  /** Called round every call of the operator's own ports. */
  onCall: OnCall = async () => {};
  /** The ports that were loaded, if any were. */
  portsLoaded = 0;
  private readonly waiting: { readonly at: number; readonly act: () => void }[] = [];

  constructor(world: World = new World()) {
    this.world = world;
  }

  readonly timers = {
    now: () => this.world.cloud.nowMs,
    after: (milliseconds: number, act: () => void) => {
      const timer = { at: this.world.cloud.nowMs + milliseconds, act };
      this.waiting.push(timer);
      return () => {
        const index = this.waiting.indexOf(timer);
        if (index >= 0) this.waiting.splice(index, 1);
      };
    },
  };

  /** Virtual time passes, and what waited for it acts. */
  elapse(milliseconds: number): void {
    const until = this.world.cloud.nowMs + milliseconds;
    const due = this.waiting.filter((timer) => timer.at <= until).sort((left, right) => left.at - right.at);
    for (const timer of due) {
      this.waiting.splice(this.waiting.indexOf(timer), 1);
      this.world.cloud.nowMs = timer.at;
      timer.act();
    }
    this.world.cloud.nowMs = until;
  }

  /** Timers that nobody took back: the process would stay for them. */
  get timersLeft(): number {
    return this.waiting.length;
  }

  connect(access: Access): Connection {
    this.connected.push(access);
    return {
      signIn: async () => {
        if (!this.hasCredentials) throw new NoCredentialsError("AWS credentials: not found, got none");
        return { accessKeyId: "AKIAEXAMPLE7QXZ" };
      },
      caller: async () => {
        if (!this.stsAnswers) {
          this.elapse(1_000);
          return new Promise<never>(() => {});
        }
        return { arn: callerArn, accountId: "123456789012" };
      },
      invoke: (alias, event) => {
        this.invoked.push({ alias, event });
        return this.hook(this, alias, event);
      },
      reach: async (alias) => {
        if (this.hook === missingHook || this.hook === silentHook) await this.hook(this, alias, undefined);
      },
      ports: async () => {
        this.portsLoaded += 1;
        const ports = this.world.cloud.ports("person", (call) => this.onCall(call));
        return { ...ports, clock: { now: ports.clock.now, sleep: (milliseconds) => this.sleep(milliseconds) } };
      },
    };
  }

  /** Acts while the command sleeps: where a drill's event comes back. */
  whileAsleep: () => Promise<void> = async () => {};

  private async sleep(milliseconds: number): Promise<void> {
    this.elapse(milliseconds);
    await this.whileAsleep();
  }

  async drillComesBack(): Promise<void> {
    await drillArrived(this.world.cloud.ports("hook"));
  }

  /** This machine, as the commands take it. */
  outside(): Outside {
    return {
      variables: this.variables,
      terminal: {
        isInteractive: this.isInteractive,
        confirm: async (question) => {
          this.questions.push(question);
          return this.answer;
        },
      },
      timers: this.timers,
      profileRegion: async (profile) => this.profileRegions[profile ?? "default"],
      connect: (access) => this.connect(access),
    };
  }

  async run(...words: string[]) {
    return this.runIn(root, ...words);
  }

  async runIn(directory: string, ...words: string[]) {
    const out: string[] = [];
    const errors: string[] = [];
    const code = await runCommand(words, {
      out: (text) => out.push(text),
      error: (text) => errors.push(text),
      directory,
      colours: false,
      outside: this.outside(),
    });
    return { code, out: out.join("\n"), errors: errors.join("\n") };
  }
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder with stack files. */
export function stacksOf(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), "tidegate-"));
  for (const [stack, text] of Object.entries(files)) writeFileSync(join(directory, `Pulumi.${stack}.yaml`), text);
  return directory;
}
