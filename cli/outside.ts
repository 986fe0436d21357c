/**
 * What the commands for an operator need from the machine and from AWS, as interfaces: the real ones are in `aws-place.ts`, tests give
 * their own, and nothing else in this folder knows a network, a terminal or a clock.
 */
import type { Instant } from "../core/record.ts";
import type { Ports } from "../hooks/ports.ts";
import type { ReportSource } from "../reports/sources/source.ts";

export interface Outside {
  /** The environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly terminal: Terminal;
  readonly timers: Timers;
  /** The region that the shared AWS config gives a profile; `undefined`: none. */
  profileRegion(profile: string | undefined): Promise<string | undefined>;
  /** Makes no call by itself. */
  connect(access: Access): Connection;
}

/** The environment that is meant, and with whose rights. */
export interface Access {
  readonly environment: string;
  readonly region: string;
  /** A profile of the shared AWS config. @default as the AWS CLI chooses */
  readonly profile?: string;
}

export interface Terminal {
  /** Whether a person can be asked. */
  readonly isInteractive: boolean;
  /** Yes or no; an interrupted question is a no. */
  confirm(question: string): Promise<boolean>;
}

export interface Timers {
  now(): Instant;
  /** Acts once, after so many milliseconds; the answer takes it back. */
  after(milliseconds: number, act: () => void): () => void;
}

/** The hook's aliases. They are permissions too: who may shut a latch need not be who may open one. */
export type HookAlias = "live" | "acknowledge";

export interface Caller {
  readonly arn: string;
  /** 12 digits. */
  readonly accountId: string;
}

/** One environment, reached with the operator's own credentials. */
export interface Connection {
  /**
   * Finds the credentials; may ask a person for a code. Before anything that has a time limit.
   * @throws NoCredentialsError
   */
  signIn(): Promise<{ readonly accessKeyId: string }>;
  /** Whose credentials they are. */
  caller(signal: AbortSignal): Promise<Caller>;
  /**
   * Calls the hook and waits for what it answers.
   * @throws HookCallError
   */
  invoke(alias: HookAlias, event: unknown, signal: AbortSignal): Promise<unknown>;
  /**
   * Whether the hook could be called: nothing runs.
   * @throws HookCallError
   */
  reach(alias: HookAlias, signal: AbortSignal): Promise<void>;
  /** Record, rules and alarms; loads the adapters when it is first asked. */
  ports(): Promise<Ports>;
  /** Figures for reports, out of CloudWatch. @default none can be read */
  figures?(): Promise<ReportSource>;
}

/** The hook was not called, or did not answer as it should. */
export class HookCallError extends Error {
  override readonly name = "HookCallError";
  /** False only where AWS refused the call, so that nothing can have run. */
  readonly mayHaveRun: boolean;

  constructor(message: string, options: ErrorOptions & { readonly mayHaveRun: boolean }) {
    super(message, options);
    this.mayHaveRun = options.mayHaveRun;
  }
}

/** Nothing gave credentials that AWS could be asked with. */
export class NoCredentialsError extends Error {
  override readonly name = "NoCredentialsError";
}
