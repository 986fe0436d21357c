/** How a command starts that asks the decision of an `up`: the stack's file read, the place signed in to, and what the decision reads. */
import { BadInputError } from "../core/bad-input.ts";
import type { Surveyor } from "../core/survey.ts";
import type { EnvironmentConfig } from "../stacks/config.ts";
import type { Surroundings } from "./command.ts";
import { begin, type Operation, type OperatorFlags } from "./operation.ts";
import { readServiceName } from "./place.ts";
import { readStack } from "./rehearse.ts";

/** Parts that a test gives itself. */
export interface DecidingParts {
  /** @default reads ELBv2 with the operator's credentials */
  readonly surveyor?: Surveyor;
}

export interface Deciding {
  readonly operation: Operation;
  readonly stack: string;
  /** @default every service of the config */
  readonly service?: string;
  readonly config: EnvironmentConfig;
  readonly surveyor: Surveyor;
}

/** @throws BadInputError with every problem; RefusedError where no credentials are found */
export async function beginDeciding(
  command: string,
  flags: OperatorFlags,
  surroundings: Surroundings,
  parts: DecidingParts,
): Promise<Deciding> {
  const problem = (text: string) => new BadInputError(`tidegate ${command}: 1 problem, nothing was done:`, [text]);
  // Said alone: the place of other commands may be named without a file, and their words for it would mislead here.
  if (flags.stack === undefined) {
    throw problem("--stack: missing; expected the stack whose file has the waves. Environment and region name no file");
  }
  const operation = await begin(command, flags, surroundings, (problems) => {
    const service = flags.service === undefined ? undefined : readServiceName(flags.service, problems);
    return { stack: flags.stack ?? "", service };
  });
  const { stack, service } = operation.own;
  const config = readStack(stack, surroundings.directory);
  if (service !== undefined && !config.services.some(({ name }) => name === service)) {
    const names = config.services.map(({ name }) => name).join(", ");
    throw problem(
      `--service: unknown service, got "${service}"; expected ${names || "a service in the stack's config"} (stack ${stack})`,
    );
  }
  const surveyor = parts.surveyor ?? operatorSurveyor(operation);
  return { operation, stack, config, surveyor, ...(service === undefined ? {} : { service }) };
}

/** Reads what services adopt; signs in when it is first asked, and where nothing is adopted it is not. */
function operatorSurveyor({ place, outside }: Operation): Surveyor {
  return {
    async survey(query) {
      const [{ credentialsOf }, { ElasticLoadBalancingV2Client }, { clientSettings }, { awsSurveyor }] =
        await Promise.all([
          import("./aws-place.ts"),
          import("@aws-sdk/client-elastic-load-balancing-v2"),
          import("../hooks/aws/clients.ts"),
          import("../hooks/aws/survey.ts"),
        ]);
      const credentials = await credentialsOf(place, outside.variables, outside.terminal);
      const client = new ElasticLoadBalancingV2Client(clientSettings({ region: place.region, credentials }));
      return awsSurveyor(client).survey(query);
    },
  };
}
