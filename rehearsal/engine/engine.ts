/**
 * A small engine: what a capture asks for against what the stack's state says, applied through a provider in the order of
 * dependencies, deletions last.
 *
 * As Pulumi with `refresh: always`: live rules and alarms replace their state before the diff. Before-hooks run ahead of the provider, and
 * a failure, theirs or the provider's, ends the `up`: what comes after it is skipped, nothing is deleted, and state stays as far as
 * it came.
 */

import { messageOf } from "../../core/error-message.ts";
import { type Capture, type CapturedResource, dependenciesFirst } from "./capture.ts";
import { NotRehearsedError, ProviderRefusedError } from "./errors.ts";
import type { CapturedHook } from "./hook-recorder.ts";
import { differenceOf } from "./in-place.ts";
import type { PlainInputs } from "./plain-inputs.ts";

/** Where resources become real. */
export interface Provider {
  /** Inputs as they are live, or `undefined` when the resource is gone; the same object where they are as in the state. */
  refresh(resource: CapturedResource): PlainInputs | undefined;
  create(resource: CapturedResource): Promise<void>;
  update(resource: CapturedResource, before: PlainInputs): Promise<void>;
  delete(resource: CapturedResource): Promise<void>;
}

/** A write that a before-hook is asked about. */
export interface HookedWrite {
  readonly resource: CapturedResource;
  /** Live inputs before an update; absent: it is a creation. */
  readonly before?: PlainInputs;
}

/** Runs one before-hook; throws to refuse the write. */
export type RunHook = (hook: CapturedHook, write: HookedWrite) => Promise<void>;

export interface Change {
  readonly op: "create" | "update" | "delete";
  readonly type: string;
  readonly name: string;
}

export interface Applied {
  /** What was done, in order; after a failure as far as it came. */
  readonly changes: readonly Change[];
  /** Why it stopped; empty: all is as declared. */
  readonly reasons: readonly string[];
}

/** One stack with its state. */
export class Engine {
  /** By key; custom resources alone, as they were last written. */
  #state = new Map<string, CapturedResource>();

  /** Keys of everything in the state, ascending. */
  keys(): string[] {
    return [...this.#state.keys()].sort();
  }

  /** What an `up` would do now, without doing it. */
  plan(capture: Capture, provider: Provider): Change[] {
    const state = refreshed(this.#state, provider);
    return [...writesOf(capture, state), ...deletionsOf(capture, state)].map(({ op, resource }) =>
      changeOf(op, resource),
    );
  }

  /** One `up`. @throws NotRehearsedError before anything changed, naming what the capture uses that is not modelled */
  async up(capture: Capture, provider: Provider, runHook: RunHook): Promise<Applied> {
    refuseUnmodelled(capture);
    this.#state = refreshed(this.#state, provider);
    const writes = writesOf(capture, this.#state);
    const written = new Set(writes.map(({ resource }) => resource.key));
    // What a resource hangs on may change without a write.
    for (const resource of capture.resources) {
      if (resource.custom && !written.has(resource.key)) this.#state.set(resource.key, resource);
    }
    const changes: Change[] = [];
    try {
      for (const { op, resource, before } of writes) {
        await this.#write(resource, before, provider, runHook);
        changes.push(changeOf(op, resource));
      }
      for (const { op, resource } of deletionsOf(capture, this.#state)) {
        await this.#delete(resource, provider);
        changes.push(changeOf(op, resource));
      }
    } catch (error) {
      return { changes, reasons: [messageOf(error)] };
    }
    return { changes, reasons: [] };
  }

  async #write(
    resource: CapturedResource,
    before: PlainInputs | undefined,
    provider: Provider,
    runHook: RunHook,
  ): Promise<void> {
    for (const hook of resource.hooks) {
      try {
        await runHook(hook, { resource, ...(before ? { before } : {}) });
      } catch (error) {
        const text = messageOf(error);
        throw new ProviderRefusedError(`before hook "${hook.hookName}" failed: ${text}`, { cause: error });
      }
    }
    if (before) await provider.update(resource, before);
    else await provider.create(resource);
    this.#state.set(resource.key, resource);
  }

  async #delete(resource: CapturedResource, provider: Provider): Promise<void> {
    if (resource.protect) {
      throw new ProviderRefusedError(
        `${resource.key}: cannot be deleted, it is protected. Unprotect it first, or put it back into the program`,
      );
    }
    if (!resource.retainOnDelete) await provider.delete(resource);
    this.#state.delete(resource.key);
  }
}

interface Write {
  readonly op: Change["op"];
  readonly resource: CapturedResource;
  /** Inputs so far. */
  readonly before?: PlainInputs;
}

function changeOf(op: Change["op"], { type, name }: CapturedResource): Change {
  return { op, type, name };
}

function refuseUnmodelled(capture: Capture): void {
  const problems = capture.resources.flatMap((resource) =>
    resource.ignoreChanges.length > 0
      ? [
          `${resource.key}: ignoreChanges on ${resource.ignoreChanges.join(", ")}: not modelled, and never right on weights: ` +
            "a new target group would be born with weight 1. Leave it out",
        ]
      : [],
  );
  if (problems.length > 0) throw new NotRehearsedError(problems.join("\n"));
}

/** The state with live inputs, without what is gone. */
function refreshed(state: ReadonlyMap<string, CapturedResource>, provider: Provider): Map<string, CapturedResource> {
  const fresh = new Map<string, CapturedResource>();
  for (const [key, resource] of state) {
    const inputs = provider.refresh(resource);
    if (inputs) fresh.set(key, inputs === resource.inputs ? resource : { ...resource, inputs });
  }
  return fresh;
}

function writesOf(capture: Capture, state: ReadonlyMap<string, CapturedResource>): Write[] {
  const writes: Write[] = [];
  for (const resource of capture.resources) {
    if (!resource.custom) continue;
    const before = state.get(resource.key);
    if (!before) {
      writes.push({ op: "create", resource });
      continue;
    }
    const { changed, replacing } = differenceOf(resource.type, before.inputs, resource.inputs);
    if (replacing.length > 0) {
      throw new NotRehearsedError(
        `${resource.key}: a change of ${replacing.join(", ")} replaces it: replacements are not modelled`,
      );
    }
    if (changed.length > 0) writes.push({ op: "update", resource, before: before.inputs });
  }
  return writes;
}

/** What the program no longer declares, dependents first. */
function deletionsOf(capture: Capture, state: ReadonlyMap<string, CapturedResource>): Write[] {
  const declared = new Set(capture.resources.map((resource) => resource.key));
  const gone = [...state.values()].filter((resource) => !declared.has(resource.key));
  return dependenciesFirst(gone)
    .reverse()
    .map((resource) => ({ op: "delete", resource }));
}
