/**
 * A whole environment on emulators: the captured program applied with its guards, the real bundles in ministack's Lambda under their
 * declared roles, load balancing on moto, PagerDuty on loopback, and a proxy before each emulator that sees every call of the functions.
 *
 * The handlers know nothing of it: three endpoint variables are all that is added to what the program declares.
 */
import { CloudWatchClient, DescribeAlarmsCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { type AttributeValue, DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  type Rule,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SNSClient } from "@aws-sdk/client-sns";
import { guardedWriteFrom } from "../../../components/write-guard.ts";
import type { Declaration } from "../../../core/declaration.ts";
import { hookFunctionName, tableName, watchmanFunctionName } from "../../../core/naming.ts";
import type { RolloutRecord } from "../../../core/record.ts";
import { awsPorts } from "../../../hooks/aws/ports.ts";
import { buildHookBundle, buildWatchmanBundle } from "../../../hooks/bundle.ts";
import { makeGuard } from "../../../hooks/guard.ts";
import type { Ports } from "../../../hooks/ports.ts";
import { type Capture, capture } from "../../../rehearsal/engine/capture.ts";
import { type Applied, Engine, type HookedWrite } from "../../../rehearsal/engine/engine.ts";
import type { CapturedHook } from "../../../rehearsal/engine/hook-recorder.ts";
import type { EnvironmentConfig } from "../../../stacks/config.ts";
import { decideEnvironment } from "../../../stacks/decide.ts";
import { program } from "../../../stacks/program.ts";
import { motoNetwork } from "../../engine/moto-network.ts";
import { environmentConfig, serviceConfig } from "./config.ts";
import type { Policy } from "./declared-policy.ts";
import { EmulatorProvider, type Emulators } from "./emulator-provider.ts";
import { EventsV2Endpoint } from "./events-v2.ts";
import { FaultProxy, type TracedCall } from "./fault-proxy.ts";
import { accountId, authEndpoint, balancingEndpoint, region } from "./places.ts";
import { json } from "./raw-aws.ts";

export const routingKey = "0123456789abcdef0123456789abcdef";
/** A release's share of the main rule, and whether clients stick. */
export interface LiveRule {
  /** Weight by version. */
  readonly weights: Readonly<Record<string, number>>;
  readonly isSticky: boolean;
}

/** What a function answered to one invocation. */
export interface Answer {
  /** The function's own value; of a failed run Lambda's error object. */
  readonly value: {
    readonly outcome?: string;
    readonly message?: string;
    readonly errorType?: string;
    readonly errorMessage?: string;
  };
  readonly failed: boolean;
  /** The end of the run's log. */
  readonly log: string;
}

/** What `restore` takes. */
export interface Checkpoint {
  readonly item: Record<string, AttributeValue>;
  readonly rules: readonly Rule[];
}

export class Deployment {
  readonly clients: Omit<Emulators, "functionVariables">;
  /** As an operator has them: root, past the proxies. */
  readonly ports: Ports;
  private readonly engine = new Engine();
  private readonly provider: EmulatorProvider;
  private written: Record<string, unknown>;
  private captured: Capture | undefined;
  private made: Applied | undefined;

  private constructor(
    readonly environment: string,
    readonly service: string,
    readonly pagerDuty: EventsV2Endpoint,
    /** Before ministack: records, alarms, metrics, topics, secrets. */
    readonly awsProxy: FaultProxy,
    /** Before moto. */
    readonly balancingProxy: FaultProxy,
    private readonly network: Awaited<ReturnType<typeof motoNetwork>>,
  ) {
    const access = { region, endpoint: authEndpoint() };
    this.clients = {
      region,
      aws: access,
      balancing: { region, endpoint: balancingEndpoint() },
      cloudWatch: new CloudWatchClient(access),
      dynamo: new DynamoDBClient(access),
      lambda: new LambdaClient(access),
      secrets: new SecretsManagerClient(access),
      sns: new SNSClient(access),
      elb: new ElasticLoadBalancingV2Client({ region, endpoint: balancingEndpoint() }),
    };
    this.provider = new EmulatorProvider({
      ...this.clients,
      functionVariables: {
        AWS_ENDPOINT_URL: awsProxy.url,
        AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2: balancingProxy.url,
        TIDEGATE_PAGERDUTY_ENDPOINT: pagerDuty.url,
      },
    });
    // The guard and the decision are the program's own, which finds AWS by the environment.
    process.env.AWS_ENDPOINT_URL = authEndpoint();
    this.ports = awsPorts({
      region,
      tableName: tableName(environment),
      place: { environment, region, runbookBase: "docs/runbooks" },
    });
    this.written = serviceConfig(service);
  }

  /**
   * Brings one up to a first wave of 25 %, all alarms OK and one reconcile done. Names are the environment's and the service's, so that
   * test files can share emulators.
   */
  static async start(environment: string, service: string): Promise<Deployment> {
    const [pagerDuty, awsProxy, balancingProxy, network] = await Promise.all([
      EventsV2Endpoint.start(routingKey),
      FaultProxy.start(authEndpoint()),
      FaultProxy.start(balancingEndpoint()),
      motoNetwork(balancingEndpoint(), region),
    ]);
    const deployment = new Deployment(environment, service, pagerDuty, awsProxy, balancingProxy, network);
    deployment.made = await deployment.up({ wave: 0 });
    await deployment.settleAlarms();
    await deployment.minute();
    await deployment.up({ wave: 25 });
    deployment.forget();
    return deployment;
  }

  async stop(): Promise<void> {
    await Promise.all([this.pagerDuty.stop(), this.awsProxy.stop(), this.balancingProxy.stop()]);
  }

  /** What the first `up` did, in order. */
  get firstUp(): Applied {
    return this.made ?? { changes: [], reasons: [] };
  }

  get functionName(): string {
    return hookFunctionName(this.environment);
  }

  get watchmanName(): string {
    return watchmanFunctionName(this.environment);
  }

  get deadLettersUrl(): string {
    return this.provider.real(`https://sqs.${region}.amazonaws.com/${accountId}/${this.functionName}-dead-letters`);
  }

  /** Takes recorded calls, faults and events of PagerDuty away. */
  forget(): void {
    this.awsProxy.clear();
    this.balancingProxy.clear();
    this.pagerDuty.clear();
  }

  /** One `up` with a change of the service's config. @throws Error with every reason why it did not go through */
  async up(change: Record<string, unknown>): Promise<Applied> {
    this.written = { ...this.written, ...change };
    const config = await this.config();
    const declarations = await decideEnvironment(config, this.ports);
    const captured = await this.capture(config, declarations);
    this.captured = captured;
    const run = { hookChanges: false };
    const applied = await this.engine.up(captured, this.provider, (hook, write) =>
      this.runHook(hook, write, declarations, run),
    );
    if (applied.reasons.length > 0) throw new Error(applied.reasons.join("\n"));
    return applied;
  }

  /** Every alarm of the service, and of the environment, measures and is content. */
  async settleAlarms(): Promise<void> {
    for (const alarmName of await this.alarmNames()) await this.setAlarm(alarmName, "OK");
  }

  /** Sets a state by hand, as CloudWatch would have come to it. */
  async setAlarm(alarmName: string, state: "OK" | "ALARM"): Promise<void> {
    await this.clients.cloudWatch.send(
      new SetAlarmStateCommand({ AlarmName: alarmName, StateValue: state, StateReason: "end to end" }),
    );
  }

  /** Name of the canary's alarm that disables. */
  async alarmThatDisables(): Promise<string> {
    const record = await this.record();
    const found = record.alarms.find(
      ({ digest, severity, objective }) =>
        digest === record.canary?.digest && severity === "critical" && objective === "error-rate",
    );
    if (!found) throw new Error("no alarm that disables");
    return found.alarmName;
  }

  async record(): Promise<RolloutRecord> {
    const record = await this.ports.records.read(this.service);
    if (!record) throw new Error(`${this.service}: no record`);
    return record;
  }

  /** A rule as it is live on moto. */
  async live(role: "main" | "tester" | "anchor" = "main"): Promise<LiveRule> {
    const record = await this.record();
    const rule = record.rules.find((each) => each.role === role);
    const versions = Object.fromEntries(
      Object.values(record.releases).map(({ targetGroupArn, version }) => [targetGroupArn, version]),
    );
    const { Rules } = await this.clients.elb.send(new DescribeRulesCommand({ RuleArns: [rule?.arn ?? ""] }));
    const forward = Rules?.[0]?.Actions?.[0]?.ForwardConfig;
    return {
      weights: Object.fromEntries(
        (forward?.TargetGroups ?? [])
          .map(
            ({ TargetGroupArn, Weight }) =>
              [versions[TargetGroupArn ?? ""] ?? TargetGroupArn ?? "", Weight ?? -1] as const,
          )
          .sort(([left], [right]) => (left < right ? -1 : 1)),
      ),
      isSticky: forward?.TargetGroupStickinessConfig?.Enabled ?? false,
    };
  }

  /** Invokes the hook as a caller that waits. @param qualifier alias or version */
  invoke(event: object, qualifier = "live"): Promise<Answer> {
    return this.invokeFunction(this.functionName, event, qualifier);
  }

  /** The clock's event, as EventBridge sends it. */
  minute(): Promise<Answer> {
    return this.invoke(scheduledEvent());
  }

  async invokeFunction(name: string, event: object, qualifier?: string): Promise<Answer> {
    const answer = await this.clients.lambda.send(
      new InvokeCommand({ FunctionName: name, Qualifier: qualifier, LogType: "Tail", Payload: JSON.stringify(event) }),
    );
    return {
      value: JSON.parse(answer.Payload?.transformToString() || "null"),
      failed: answer.FunctionError !== undefined,
      log: Buffer.from(answer.LogResult ?? "", "base64").toString("utf8"),
    };
  }

  /** The policy that the program declares for a function's role, with real ARNs. */
  declaredPolicy(functionName: string): Policy {
    const resource = this.captured?.resources.find(
      ({ type, inputs }) => type === "aws:iam/rolePolicy:RolePolicy" && inputs.role === functionName,
    );
    if (!resource) throw new Error(`${functionName}: the program declares no policy for it`);
    return JSON.parse(String(this.provider.real(resource.inputs).policy)) as Policy;
  }

  /** What `WaveOpening` of the newest `up` invokes the hook with. */
  openingEvent(): object {
    const resource = this.captured?.resources.find(({ name }) => name === `${this.service}-opening`);
    if (!resource) throw new Error("the program declares no opening");
    return JSON.parse(String(this.provider.real(resource.inputs).input));
  }

  /** Calls of functions and commands to all of AWS, in the order they came. */
  get calls(): TracedCall[] {
    return [...this.awsProxy.calls, ...this.balancingProxy.calls].sort(
      (left, right) => left.startedAt - right.startedAt,
    );
  }

  /** How record and rules stand, so that a test can begin where another did. */
  async checkpoint(): Promise<Checkpoint> {
    const key = { pk: { S: `service#${this.service}` }, sk: { S: "record" } };
    const { Item } = await this.clients.dynamo.send(
      new GetItemCommand({ TableName: tableName(this.environment), Key: key, ConsistentRead: true }),
    );
    const arns = (await this.record()).rules.map(({ arn }) => arn);
    const { Rules } = await this.clients.elb.send(new DescribeRulesCommand({ RuleArns: arns }));
    if (!Item || !Rules) throw new Error("nothing to come back to");
    return { item: Item, rules: Rules };
  }

  /** Puts record and rules back past everybody, quiets the alarms, and forgets calls, faults and events. */
  async restore({ item, rules }: Checkpoint): Promise<void> {
    await this.clients.dynamo.send(new PutItemCommand({ TableName: tableName(this.environment), Item: item }));
    for (const { RuleArn, Actions } of rules) await this.clients.elb.send(new ModifyRuleCommand({ RuleArn, Actions }));
    await this.settleAlarms();
    this.forget();
  }

  /** Dead letters that are there, taken out. */
  async deadLetters(): Promise<string[]> {
    const { Messages = [] } = await json(this.clients.aws, "sqs", "ReceiveMessage", {
      QueueUrl: this.deadLettersUrl,
      MaxNumberOfMessages: 10,
    });
    return (Messages as { Body: string }[]).map(({ Body }) => Body);
  }

  private async alarmNames(): Promise<string[]> {
    const { MetricAlarms } = await this.clients.cloudWatch.send(
      new DescribeAlarmsCommand({ AlarmNamePrefix: `tidegate/${this.environment}/`, MaxRecords: 100 }),
    );
    return (MetricAlarms ?? []).flatMap(({ AlarmName }) => AlarmName ?? []);
  }

  private async config(): Promise<EnvironmentConfig> {
    return environmentConfig({
      environment: this.environment,
      network: this.network,
      routingKeySecretArn: await this.pagerDutySecret(),
      services: { [this.service]: this.written },
    });
  }

  private secretArn: string | undefined;

  /** A secret that somebody made before the program, as the config wants it. */
  private async pagerDutySecret(): Promise<string> {
    if (this.secretArn === undefined) {
      const { ARN } = await this.clients.secrets.send(
        new CreateSecretCommand({ Name: `tidegate-${this.environment}-pagerduty`, SecretString: routingKey }),
      );
      this.secretArn = ARN ?? "";
    }
    return this.secretArn;
  }

  private async capture(config: EnvironmentConfig, declarations: readonly Declaration[]): Promise<Capture> {
    const [hookBundleFolder, watchmanBundleFolder] = await Promise.all([buildHookBundle(), buildWatchmanBundle()]);
    const stack = config.environment;
    return capture({ organization: "tests", project: "tidegate", stack, region }, (guards) =>
      program({
        config,
        decide: async () => declarations,
        guards,
        hookBundleFolder,
        watchmanBundleFolder,
        stackId: `tests/tidegate/${stack}`,
        accountId,
        isPreview: false,
        log: { info() {}, warn() {} },
      }),
    );
  }

  /** The real guard, over what the emulators say. */
  private async runHook(
    hook: CapturedHook,
    { resource, before }: HookedWrite,
    declarations: readonly Declaration[],
    run: { hookChanges: boolean },
  ): Promise<void> {
    if (hook.kind === "hook-change-watch") {
      run.hookChanges = true;
      return;
    }
    const declaration = declarations.find(({ service }) => service === hook.service);
    if (!declaration) throw new Error(`hook "${hook.hookName}": no declaration of ${hook.service}`);
    const { plan, takenBy, readyTimeoutSeconds } = hook;
    const guard = makeGuard(this.ports, {
      declaration,
      plan,
      takenBy,
      readyTimeoutSeconds,
      hookChanges: () => run.hookChanges,
    });
    const write = {
      id: before ? resource.id : "",
      newInputs: { ...resource.inputs },
      ...(before ? { oldInputs: { ...before }, oldOutputs: { ...before, ...resource.outputs } } : {}),
    };
    await guard(guardedWriteFrom(this.provider.real(write), this.provider.real(hook.rule)));
  }
}

/** Source: EventBridge user guide, "Scheduled events", read 2026-11. */
export function scheduledEvent(): object {
  return {
    version: "0",
    id: "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    source: "aws.events",
    account: accountId,
    time: "2026-11-02T17:05:00Z",
    region,
    resources: [`arn:aws:events:${region}:${accountId}:rule/clock`],
    detail: {},
  };
}
