/**
 * What a command needs of `Pulumi.<stack>.yaml`: where the stack lives, three values. Read by themselves and leniently: a mistake
 * elsewhere in the file must not keep anyone from killing, and the whole config would load Pulumi first, a second at 3 a.m.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { BadInputError } from "../core/bad-input.ts";
import { messageOf } from "../core/error-message.ts";

/** Where a stack lives, as its file says; nothing is checked yet. */
export interface StackPlace {
  readonly environment?: unknown;
  readonly region?: unknown;
  readonly listenerArn?: unknown;
}

/** Names of the stacks that have a file in a folder, ascending. */
export function stackNames(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
}

/** The stack that is meant where none is named: the only one of the folder, else `dev`. */
export function usualStack(directory: string): string {
  const [only, ...more] = stackNames(directory);
  return more.length === 0 && only !== undefined ? only : "dev";
}

/** What is wrong with a stack's name; `undefined` where its file is there. */
export function stackProblem(stack: string, directory: string): string | undefined {
  const stacks = stackNames(directory);
  return stacks.includes(stack)
    ? undefined
    : `--stack: unknown stack, got "${stack}"; expected ${stacks.join(", ") || "a Pulumi.<stack>.yaml in this folder"}. Run it where those files are`;
}

export function stackFile(stack: string, directory: string): string {
  return resolve(directory, `Pulumi.${stack}.yaml`);
}

/**
 * Reads the three values. The listener of a service stack is its foundation's, where that one's file lies beside: a file that is not there
 * keeps nobody from killing.
 * @throws BadInputError where the file cannot be read as YAML
 */
export async function readStackPlace(path: string): Promise<StackPlace> {
  const config = await readConfig(path);
  const foundation = fieldOf(config, "tidegate:foundation");
  const listenerArn = listenerOf(config) ?? (await listenerBeside(path, foundation));
  return { environment: fieldOf(config, "tidegate:environment"), region: fieldOf(config, "aws:region"), listenerArn };
}

function listenerOf(config: unknown): unknown {
  return fieldOf(fieldOf(config, "tidegate:network"), "listenerArn");
}

async function listenerBeside(path: string, foundation: unknown): Promise<unknown> {
  if (typeof foundation !== "string" || foundation === "here") return undefined;
  try {
    return listenerOf(await readConfig(stackFile(foundation.split("/").at(-1) ?? "", dirname(path))));
  } catch {
    return undefined;
  }
}

async function readConfig(path: string): Promise<unknown> {
  const { parseDocument } = await import("yaml");
  const name = basename(path);
  const wayOut = "Say the place with --environment and --region instead";
  let file: unknown;
  try {
    const document = parseDocument(readFileSync(path, "utf8"), {
      prettyErrors: false,
      merge: true,
      logLevel: "silent",
    });
    const [error] = document.errors;
    if (error) throw new Error(error.message.replace(/\s+/g, " ").replace(/\.$/, ""));
    file = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const why = messageOf(error);
    throw new BadInputError(`${name}:`, [`${name}: malformed YAML: ${why}. ${wayOut}`]);
  }
  return fieldOf(file, "config");
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
