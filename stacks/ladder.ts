/**
 * What a stack tells the environment above of releases that finished (A8), and how that one reads it: by the look-up of outputs that
 * `StackReference` itself uses, as in `foundation.ts`. What cannot be read whole is told as unreadable, and then nothing opens.
 *
 * The outputs are those of the lower stack's last commit: whoever rolls a finished release back there runs `pulumi up` there too.
 */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { messageOf } from "../core/error-message.ts";
import type { FinishedRelease, Unreadable } from "../core/gate/evidence.ts";
import { fullStackName } from "./config/foundation.ts";

const finishedSchema = z.array(
  z.strictObject({
    version: z.string().min(1),
    digest: z.string().min(1),
    at: z.number(),
    figures: z.strictObject({
      "error-rate": z.number().exactOptional(),
      "latency-p95": z.number().exactOptional(),
    }),
    requests: z.number().exactOptional(),
  }),
);

/**
 * Finished releases in what the hook answered to `WaveOpening`; none where it told of none, or is older than this.
 * @param answer JSON, as the invocation keeps it
 */
export function finishedIn(answer: string): readonly FinishedRelease[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    return [];
  }
  const read = z.object({ finished: finishedSchema }).safeParse(parsed);
  return read.success ? read.data.finished : [];
}

/** Releases of one service that finished below, or why nobody can say. */
export type BelowReader = (service: string) => Promise<readonly FinishedRelease[] | Unreadable>;

/** The stack that asks. */
export interface AskingStack {
  /** `organisation/project/stack`. */
  readonly stackId: string;
  readonly environment: string;
}

/** Reasons why a stack cannot stand on the one that its config names; empty when it can, or names none. */
export function ladderProblems(below: string | undefined, stackId: string): string[] {
  if (below === undefined || fullStackName(below, stackId) !== stackId) return [];
  return [
    `ladder.below: this very stack, got "${below}"; expected the one of the environment below. Leave ladder out where there is none`,
  ];
}

/** Outputs of a stack by its name, as `{ outputs, secretOutputNames }`. Whatever keeps them from being read is thrown. */
export type OutputsReader = (stack: string) => Promise<unknown>;

const outputsByEngine: OutputsReader = (stack) =>
  pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name: stack });

/** A reader of the stack below, as its config names it, while a program runs. */
export function belowReader(below: string, own: AskingStack): BelowReader {
  return readerOf(fullStackName(below, own.stackId), own, outputsByEngine);
}

/**
 * A reader of a stack. It is asked once, by the first service that wants to open a first wave: an `up` that opens none does not depend on
 * another stack.
 */
export function readerOf(stack: string, own: AskingStack, readOutputs: OutputsReader): BelowReader {
  let asked: Promise<ToldBelow> | undefined;
  return async (service) => {
    asked ??= lookUp(stack, own, readOutputs);
    const told = await asked;
    if ("unreadable" in told) return told;
    const finished = told.services[service]?.finished;
    if (finished) return finished;
    const names = Object.keys(told.services).join(", ") || "none";
    if (!(service in told.services)) {
      return unreadable(
        `stack ${stack} declares no service ${service}, got ${names}; expected it there. Name the stack that declares it`,
      );
    }
    return unreadable(
      `stack ${stack} says nothing of finished releases of ${service}; expected a list. Upgrade Tidegate there and run pulumi up in it`,
    );
  };
}

const servicesSchema = z.record(z.string(), z.object({ finished: finishedSchema.exactOptional() }));
type ToldBelow = { readonly services: z.output<typeof servicesSchema> } | Unreadable;

const answerSchema = z.object({
  outputs: z.record(z.string(), z.unknown()),
  secretOutputNames: z.array(z.string()).optional(),
});

function unreadable(text: string): Unreadable {
  return { unreadable: text };
}

async function lookUp(stack: string, own: AskingStack, readOutputs: OutputsReader): Promise<ToldBelow> {
  let answer: unknown;
  try {
    answer = await readOutputs(stack);
  } catch (error) {
    const said = messageOf(error).replace(/\s+/g, " ").replace(/\.$/, "");
    return unreadable(
      `stack ${stack} cannot be read, got ${said}; expected its outputs. Check the name with pulumi stack ls, and that you may read it`,
    );
  }
  const read = answerSchema.safeParse(answer);
  if (!read.success || Object.keys(read.data.outputs).length === 0) {
    return unreadable(`stack ${stack} has no outputs; expected those of an environment. Run pulumi up in it first`);
  }
  const { outputs, secretOutputNames = [] } = read.data;
  const secret = ["environment", "services", "ladder"].filter(
    (name) => secretOutputNames.includes(name) || pulumi.Output.isInstance(outputs[name]),
  );
  if (secret.length > 0) {
    return unreadable(
      `stack ${stack} keeps outputs secret that this one needs, got ${secret.join(", ")}; expected plain ones. Nothing in them is secret: take the marking out there, and run pulumi up`,
    );
  }
  const problem = placeProblem(stack, outputs, own);
  if (problem !== undefined) return unreadable(problem);
  const services = servicesSchema.safeParse(outputs.services);
  if (services.success) return { services: services.data };
  const places = [...new Set(services.error.issues.map(({ path }) => ["services", ...path.map(String)].join(".")))];
  return unreadable(
    `outputs of stack ${stack} are not those of an environment, got another form in ${places.join(", ")}; expected its services. Use one version of Tidegate in both, and run pulumi up there`,
  );
}

/** An environment is not below itself, nor below one that stands on it. */
function placeProblem(
  stack: string,
  { environment, ladder }: Readonly<Record<string, unknown>>,
  own: AskingStack,
): string | undefined {
  if (environment === own.environment) {
    return `stack ${stack} is of this very environment, got ${own.environment}; expected the one below. Name another stack in ladder.below`;
  }
  if (ladder === own.stackId) {
    return `stack ${stack} stands on this very one, got ladder ${own.stackId} in its outputs; expected a ladder and no ring. Take ladder out in one of the two`;
  }
  return undefined;
}
