/**
 * How every command of an operator starts: flags checked all at once, credentials found, the caller's name asked for meanwhile, and a
 * person asked before anything changes.
 */
import { BadInputError } from "../core/bad-input.ts";
import type { Surroundings } from "./command.ts";
import { RefusedError } from "./failures.ts";
import { type Connection, NoCredentialsError, type Outside } from "./outside.ts";
import { type Place, type PlaceFlags, readPlace, readServiceName } from "./place.ts";
import { type Who, whoCalls } from "./who.ts";

/** Every flag of these commands, as typed; each command has its own few. */
export interface OperatorFlags extends PlaceFlags {
  readonly service?: string;
  readonly reason?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
  /** `kill`: who gets all traffic where no record says it. */
  readonly to?: string;
  /** `acknowledge`. */
  readonly hold?: string;
  readonly limit?: string;
  readonly since?: string;
  readonly snapshot?: string;
  readonly postMortem?: string;
}

/** A checked command: where, with what, and how it speaks. */
export interface Operation {
  readonly command: string;
  readonly place: Place;
  /** Whether `--stack` said the place. */
  readonly namesStack: boolean;
  readonly outside: Outside;
  readonly connection: Connection;
  readonly asksJson: boolean;
  /** The caller; asked for since the credentials were found. */
  readonly who: Promise<Who>;
  readonly out: (text: string) => void;
  /** For what happens on the way; standard output is the answer's. */
  readonly note: (text: string) => void;
}

/** An operation on one service that changes something. */
export interface Change extends Operation {
  readonly service: string;
  readonly reason: string;
  /** False where `--yes` was given. */
  readonly mustAsk: boolean;
}

/** @param count of problems; nothing of the command was done */
function badInput(command: string, problems: readonly string[]): BadInputError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new BadInputError(`tidegate ${command}: ${count}, nothing was done:`, problems);
}

/**
 * Checks what was typed and signs in.
 * @param read a command's own flags; it adds its problems to the list, and its answer is handed on when there are none
 * @throws BadInputError with every problem; RefusedError where no credentials are found
 */
export async function begin<Own>(
  command: string,
  flags: OperatorFlags,
  surroundings: Surroundings,
  read: (problems: string[], outside: Outside) => Own,
): Promise<Operation & { readonly own: Own }> {
  const outside = await outsideOf(surroundings);
  const problems: string[] = [];
  const place = await readPlace(flags, surroundings.directory, outside, problems);
  const own = read(problems, outside);
  if (!place || problems.length > 0) throw badInput(command, problems);
  const connection = outside.connect(place);
  const { accessKeyId } = await signIn(command, connection);
  return {
    command,
    place,
    namesStack: flags.stack !== undefined,
    outside,
    connection,
    asksJson: flags.json ?? false,
    who: whoCalls(connection, outside, accessKeyId),
    out: surroundings.out,
    note: surroundings.error,
    own,
  };
}

/** The same for a command that changes one service. */
export async function beginChange(command: string, flags: OperatorFlags, surroundings: Surroundings): Promise<Change> {
  const { own, ...operation } = await begin(command, flags, surroundings, (problems, { terminal }) => {
    const service = readServiceName(flags.service, problems);
    const reason = readReason(flags.reason, problems);
    const mustAsk = flags.yes !== true;
    if (mustAsk && !terminal.isInteractive)
      problems.push("--yes: missing, and no terminal to ask on; expected --yes where nobody can answer. Add it");
    return { service: service ?? "", reason: reason ?? "", mustAsk };
  });
  return { ...operation, ...own };
}

async function outsideOf(surroundings: Surroundings): Promise<Outside> {
  if (surroundings.outside) return surroundings.outside;
  const { realOutside } = await import("./aws-place.ts");
  return realOutside();
}

function readReason(reason: string | undefined, problems: string[]): string | undefined {
  if (reason === undefined) {
    problems.push('--reason: missing; expected why, in words: the record keeps it. Add --reason "..."');
    return undefined;
  }
  if (/^(?=.*\S)[^\r\n]{1,256}$/.test(reason)) return reason;
  problems.push(
    `--reason: not a reason in words, got ${reason.trim() === "" ? "nothing" : `${reason.length} characters`}; expected one line of 1 to 256 characters`,
  );
  return undefined;
}

async function signIn(command: string, connection: Connection) {
  try {
    return await connection.signIn();
  } catch (error) {
    if (!(error instanceof NoCredentialsError)) throw error;
    throw new RefusedError(`tidegate ${command}: ${error.message}. Nothing was done`);
  }
}

/** Asks, unless `--yes` was given. @throws RefusedError on a no */
export async function confirmed(change: Change, question: () => Promise<string>): Promise<void> {
  if (!change.mustAsk) return;
  if (!(await change.outside.terminal.confirm(`${await question()} Go on?`)))
    throw new RefusedError(`${change.service}: ${change.command}: answered no; nothing was changed`);
}

/** The flags that say this place once more, for commands that messages offer. */
export function placeWords({ environment, region, profile }: Place): string {
  return `--environment ${environment} --region ${region}${profile === undefined ? "" : ` --profile ${profile}`}`;
}

/** `account 123456789012, region eu-west-1`. */
export async function whereWords(operation: Operation): Promise<string> {
  const { accountId } = await operation.who;
  return `${accountId === undefined ? "an account that STS did not name in time" : `account ${accountId}`}, region ${operation.place.region}`;
}
