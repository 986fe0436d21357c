/** Resource hooks as data: which guard a write is asked about, without anything in a capture that could be called. */
import * as pulumi from "@pulumi/pulumi";
import type { Guard, GuardBinding, GuardContext, GuardedRule, HookCallback } from "../../components/write-guard.ts";
import type { GuardedWrite } from "../../core/declaration.ts";
import { hookChangeWatchName } from "../../stacks/declare-environment.ts";
import { NotRehearsedError } from "./errors.ts";
import type { PlainInputs } from "./plain-inputs.ts";

/** A resource hook before creation and update, by what it does. */
export type CapturedHook =
  | {
      readonly kind: "guard";
      readonly hookName: string;
      readonly service: string;
      readonly rule: GuardedRule;
      readonly plan: GuardContext["plan"];
      readonly takenBy: string;
      readonly readyTimeoutSeconds: number;
    }
  /** Remembers that the hook's own function changes in this `up`. */
  | { readonly kind: "hook-change-watch"; readonly hookName: string };

/** What is read of the hooks in Pulumi's registration request. */
export interface HookLists {
  getBeforeCreateList(): string[];
  getBeforeUpdateList(): string[];
  getAfterCreateList(): string[];
  getAfterUpdateList(): string[];
  getBeforeDeleteList(): string[];
  getAfterDeleteList(): string[];
  getOnErrorList(): string[];
}

/**
 * Learns what a program's resource hooks do by calling each once with a guard that only notes what it was asked. What is kept is
 * plain data; the guard that decides is made anew for every `up`.
 */
export class HookRecorder {
  readonly binding: GuardBinding;
  readonly #callbacks = new Map<string, HookCallback>();
  #asked: { readonly context: GuardContext; readonly write: GuardedWrite } | undefined;

  constructor() {
    this.binding = {
      guardFor: (context): Guard => {
        return async (write) => {
          this.#asked = { context, write };
        };
      },
      bind: (hookName, callback) => {
        if (this.#callbacks.has(hookName)) throw new NotRehearsedError(`hook "${hookName}": two hooks of one name`);
        this.#callbacks.set(hookName, callback);
        const hook = new pulumi.ResourceHook(hookName, callback);
        return { beforeCreate: [hook], beforeUpdate: [hook] };
      },
    };
  }

  async hooksOf(key: string, lists: HookLists | undefined, inputs: PlainInputs): Promise<CapturedHook[]> {
    if (!lists) return [];
    const elsewhere = [
      ...lists.getAfterCreateList(),
      ...lists.getAfterUpdateList(),
      ...lists.getBeforeDeleteList(),
      ...lists.getAfterDeleteList(),
      ...lists.getOnErrorList(),
    ];
    const names = lists.getBeforeCreateList();
    if (elsewhere.length > 0 || names.join() !== lists.getBeforeUpdateList().join()) {
      throw new NotRehearsedError(
        `${key}: hooks ${[...names, ...elsewhere].join(", ")}: only the same hooks before creation and before update are modelled`,
      );
    }
    const hooks: CapturedHook[] = [];
    for (const hookName of names) hooks.push(await this.#learn(key, hookName, inputs));
    return hooks;
  }

  async #learn(key: string, hookName: string, inputs: PlainInputs): Promise<CapturedHook> {
    if (hookName === hookChangeWatchName) return { kind: "hook-change-watch", hookName };
    const callback = this.#callbacks.get(hookName);
    this.#asked = undefined;
    const probe: Partial<pulumi.ResourceHookArgs> = { id: "", newInputs: { ...inputs } };
    await callback?.(probe as pulumi.ResourceHookArgs);
    const { context, write } = this.#answer(key, hookName);
    return {
      kind: "guard",
      hookName,
      service: context.declaration.service,
      rule: {
        role: write.role,
        alarms: write.alarms,
        releases: write.releases,
        ...(write.control ? { control: write.control } : {}),
        ...(write.flag ? { flag: write.flag } : {}),
      },
      plan: context.plan,
      takenBy: context.takenBy,
      readyTimeoutSeconds: context.readyTimeoutSeconds,
    };
  }

  #answer(key: string, hookName: string): { readonly context: GuardContext; readonly write: GuardedWrite } {
    if (this.#asked) return this.#asked;
    throw new NotRehearsedError(`${key}: hook "${hookName}" asks no guard; only guards are modelled`);
  }
}
