/**
 * AppConfig as far as a rehearsal needs it: versions of a flag document, and which one is live, all at once. Its own alarm's rollback is not
 * modelled; the emulator's test has it.
 */
import { type FlagPercents, readFlagDocument } from "../../core/flag-document.ts";
import type { Flags } from "../../hooks/ports.ts";
import { NotRehearsedError } from "../engine/errors.ts";

interface Application {
  readonly service: string;
  readonly versions: Map<string, FlagPercents>;
  live: FlagPercents;
}

export class FlagDocuments {
  /** Thrown by every write of hook or person. */
  failure: Error | undefined;
  readonly #applications = new Map<string, Application>();
  readonly #onLive: (service: string, percents: FlagPercents) => void;

  /** @param onLive hears of every document that becomes live */
  constructor(onLive: (service: string, percents: FlagPercents) => void) {
    this.#onLive = onLive;
  }

  putApplication(id: string, service: string | undefined): void {
    if (service === undefined) throw new NotRehearsedError(`AppConfig application ${id}: of no service`);
    if (!this.#applications.has(id)) this.#applications.set(id, { service, versions: new Map(), live: {} });
  }

  deleteApplication(id: string): void {
    this.#applications.delete(id);
  }

  putVersion(applicationId: string, version: string, content: string): void {
    this.#application(applicationId).versions.set(version, readFlagDocument(content));
  }

  deploy(applicationId: string, version: string): void {
    const percents = this.#application(applicationId).versions.get(version);
    if (!percents) throw new NotRehearsedError(`AppConfig application ${applicationId}: no version ${version}`);
    this.#makeLive(applicationId, percents);
  }

  /** Live flags of a service; none where it has no document. */
  of(service: string): FlagPercents {
    for (const application of this.#applications.values()) if (application.service === service) return application.live;
    return {};
  }

  port(): Flags {
    return {
      read: async ({ applicationId }) => {
        const { live } = this.#application(applicationId);
        return { percents: live, mostPercents: live };
      },
      write: async ({ applicationId }, percents) => {
        if (this.failure) throw this.failure;
        this.#makeLive(applicationId, percents);
      },
    };
  }

  #makeLive(applicationId: string, percents: FlagPercents): void {
    const application = this.#application(applicationId);
    application.live = { ...percents };
    this.#onLive(application.service, application.live);
  }

  #application(id: string): Application {
    const application = this.#applications.get(id);
    if (!application) throw new NotRehearsedError(`AppConfig application ${id}: not made`);
    return application;
  }
}
