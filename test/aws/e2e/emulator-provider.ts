/**
 * Captured resources made real on emulators: what Pulumi's AWS provider would send, sent by the SDK. Load balancing goes to moto, the rest
 * to ministack. Ids are the emulators' own, so every mock id in later inputs is replaced by the real one.
 */
import type { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SNSClient } from "@aws-sdk/client-sns";
import type { CapturedResource } from "../../../rehearsal/engine/capture.ts";
import type { Provider } from "../../../rehearsal/engine/engine.ts";
import type { PlainInputs } from "../../../rehearsal/engine/plain-inputs.ts";
import { appliersOf } from "./appliers.ts";
import { Inputs } from "./inputs.ts";
import type { RawAccess } from "./raw-aws.ts";

/** Everything that resources are made with. */
export interface Emulators {
  readonly region: string;
  /** ministack with `AUTH=true`. */
  readonly aws: RawAccess;
  /** moto. */
  readonly balancing: RawAccess;
  readonly cloudWatch: CloudWatchClient;
  readonly dynamo: DynamoDBClient;
  readonly elb: ElasticLoadBalancingV2Client;
  readonly lambda: LambdaClient;
  readonly secrets: SecretsManagerClient;
  readonly sns: SNSClient;
  /** Added to every function's environment; how it finds the emulators. */
  readonly functionVariables: Readonly<Record<string, string>>;
}

/** What one type knows: how it is made and changed. */
export interface Applier {
  /** @returns real values by the mock's own field (`arn`, `id`, …); absent: as the mock has them */
  create(inputs: Inputs, resource: CapturedResource): Promise<Readonly<Record<string, string>> | undefined>;
  /** @default refused by name */
  update?(inputs: Inputs, resource: CapturedResource): Promise<void>;
}

/** The stack asks for something that is not applied to the emulators. */
export class NotAppliedError extends Error {
  override readonly name = "NotAppliedError";
}

export class EmulatorProvider implements Provider {
  private readonly appliers: Readonly<Record<string, Applier>>;
  /** Real ids by mock id; longest first when replaced. */
  private readonly realIds = new Map<string, string>();

  constructor(emulators: Emulators) {
    this.appliers = appliersOf(emulators);
  }

  /** @returns a copy of any plain data, with real ids */
  real<Data>(data: Data): Data {
    let text = JSON.stringify(data);
    for (const [mock, id] of [...this.realIds].sort(([left], [right]) => right.length - left.length))
      text = text.replaceAll(mock, id);
    return JSON.parse(text) as Data;
  }

  /** State is trusted: a test that changes something live says so itself. */
  refresh(resource: CapturedResource): PlainInputs {
    return resource.inputs;
  }

  async create(resource: CapturedResource): Promise<void> {
    const created = await this.applierOf(resource).create(this.inputsOf(resource), resource);
    for (const [field, value] of Object.entries(created ?? {})) {
      const mock = field === "id" ? resource.id : resource.outputs[field];
      if (typeof mock !== "string") throw new NotAppliedError(`${resource.key}: no output ${field} to replace`);
      this.learn(mock, value);
    }
  }

  async update(resource: CapturedResource): Promise<void> {
    const { update } = this.applierOf(resource);
    if (!update) throw new NotAppliedError(`${resource.key}: a change of it is not applied to the emulators`);
    await update(this.inputsOf(resource), this.real(resource));
  }

  async delete(resource: CapturedResource): Promise<void> {
    throw new NotAppliedError(`${resource.key}: its deletion is not applied to the emulators`);
  }

  /** ARNs of load balancing hold their parents' ids, so the last part alone is the resource's own. */
  private learn(mock: string, value: string): void {
    if (mock === value) return;
    const isPath = mock.startsWith("arn:") && mock.includes("/") && value.includes("/");
    const last = (text: string) => text.slice(text.lastIndexOf("/") + 1);
    this.realIds.set(isPath ? last(mock) : mock, isPath ? last(value) : value);
  }

  private applierOf({ type, name }: CapturedResource): Applier {
    const applier = this.appliers[type];
    if (applier) return applier;
    throw new NotAppliedError(`${type} ${name}: a type that is not applied to the emulators; see not-emulated.ts`);
  }

  private inputsOf(resource: CapturedResource): Inputs {
    return new Inputs(this.real(resource.inputs), resource.key);
  }
}
