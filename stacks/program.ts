/**
 * The program: decide, tell, refuse or declare. Everything it needs from outside is an argument, so a test and a rehearsal can run it
 * whole. A refusal comes before the first resource: an `up` that may not raise changes nothing at all.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Declaration, Notice } from "../core/declaration.ts";
import { Bill, type CostOutputs, costOutputs } from "./bill.ts";
import type { EnvironmentConfig } from "./config.ts";
import { datadogNotices } from "./datadog.ts";
import { type DeclareEnvironmentArgs, declareEnvironment, type EnvironmentOutputs } from "./declare-environment.ts";

/** Where messages go; `pulumi.log` fits. */
export interface ProgramLog {
  info(text: string, resource?: pulumi.Resource): unknown;
  warn(text: string, resource?: pulumi.Resource): unknown;
}

export interface ProgramArgs extends Omit<DeclareEnvironmentArgs, "declarations" | "onService"> {
  /** Phase one: reads reality and decides; see `decide.ts`. */
  readonly decide: (config: EnvironmentConfig) => Promise<readonly Declaration[]>;
  /** Reasons against the whole stack, whatever each service's own are; see `ownership.ts`. @default none are looked for */
  readonly refusals?: (config: EnvironmentConfig) => Promise<readonly string[]>;
  /** A preview tells what an `up` would refuse; an `up` refuses. */
  readonly isPreview: boolean;
  /** @default Pulumi's own */
  readonly log?: ProgramLog;
}

/**
 * Runs both phases.
 * @throws pulumi.RunError with every reason when an `up` is refused
 */
export async function program(args: ProgramArgs): Promise<EnvironmentOutputs & { readonly cost: CostOutputs }> {
  const { config, decide, refusals: refusalsOfStack, isPreview, log = pulumi.log, ...rest } = args;
  if (!args.foundation) for (const text of deafness(config.alerting)) log.warn(text);
  const declarations = await decide(config);
  const ofStack = (await refusalsOfStack?.(config)) ?? [];
  const refusals = [...ofStack, ...declarations.flatMap((declaration) => declaration.refusals)];
  if (refusals.length > 0 && !isPreview) throw new pulumi.RunError(refusalText(args.stackId, refusals));

  for (const refusal of ofStack) log.warn(`this up would be refused: ${refusal}`);
  const bill = new Bill();
  const outputs = withShortStacks(() =>
    declareEnvironment({
      ...rest,
      config,
      declarations,
      onService: (service, declaration) => {
        for (const notice of declaration.notices) tell(log, notice, service);
        for (const text of noticesBeside(config, declaration.service)) log.info(text, service);
        for (const refusal of declaration.refusals) log.warn(`this up would be refused: ${refusal}`, service);
      },
    }),
  );
  return { ...outputs, cost: costOutputs(bill.estimate(config.services), config.services) };
}

/**
 * Pulumi notes a stack for every resource, property and output, which was most of a large stack's time. One frame says where an error was
 * thrown, and costs as little as none; a limit that is lower already stays.
 */
function withShortStacks<Result>(declare: () => Result): Result {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Math.min(stackTraceLimit, 1);
  try {
    return declare();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** A topic takes a message with nobody behind it, so that nobody is told has to be said here. */
function deafness({ email, pagerduty, slack }: EnvironmentConfig["alerting"]): string[] {
  const hearsAlarms = email.length > 0 || pagerduty?.kind === "made" || slack?.chatbot !== undefined;
  if (hearsAlarms) return [];
  const hearsPages = pagerduty !== undefined || slack !== undefined;
  return [
    hearsPages
      ? "alerting: the hook's pages are told, and its alarms and the watchman's reach nobody: while the hook is down, nobody hears of it. Add an e-mail, pagerduty with escalationPolicyId, or slack.chatbot"
      : "alerting: nobody is told of anything: no e-mail, no PagerDuty, no Slack. Add one before a service acts",
  ];
}

/** What systems beside CloudWatch show otherwise of a service, or do not show. */
function noticesBeside({ services, alerting }: EnvironmentConfig, name: string): string[] {
  return services.filter((service) => service.name === name).flatMap((service) => datadogNotices(service, alerting));
}

function tell(log: ProgramLog, notice: Notice, service: pulumi.Resource): void {
  if (notice.severity === "warning") log.warn(notice.text, service);
  else log.info(notice.text, service);
}

function refusalText(stackId: string, refusals: readonly string[]): string {
  const reasons = refusals.length === 1 ? "1 reason" : `${refusals.length} reasons`;
  return [
    `this up is refused for ${reasons}; nothing was changed (stack ${stackId}):`,
    ...refusals.map((reason) => `  ${reason}`),
  ].join("\n");
}
