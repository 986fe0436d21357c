/** The provider under the real SDK. */
import {
  ErrorCode,
  type EvaluationContext,
  OpenFeature,
  type Provider,
  ProviderEvents,
  ProviderStatus,
} from "@openfeature/server-sdk";
import { afterEach, describe, expect, it } from "vitest";
import { openFeatureProvider } from "../../client/open-feature.ts";
import { asking, FlagProcess, key, settle } from "./flag-process.ts";

/** Buckets 79 and 5, as published. */
const [late, early] = [{ targetingKey: "user-1" }, { targetingKey: "0" }];

afterEach(async () => {
  await OpenFeature.clearProviders();
  OpenFeature.clearHandlers();
});

async function asked(options: Parameters<typeof asking>[0] = {}) {
  const process = await asking(options);
  // The SDK's own type: what is written here by hand is what it wants.
  const provider: Provider = openFeatureProvider(process.flags);
  const error = await OpenFeature.setProviderAndWait(provider).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { ...process, process, client: OpenFeature.getClient(), error };
}

describe("an evaluation", () => {
  it("is the id's bucket [A6]", async () => {
    const { client } = await asked();
    expect(await client.getBooleanDetails(key, false, early)).toEqual({
      flagKey: key,
      flagMetadata: {},
      value: true,
      reason: "SPLIT",
    });
    expect(await client.getBooleanDetails(key, false, late)).toMatchObject({ value: false, reason: "SPLIT" });
  });

  it("says that the flag is disabled [A6]", async () => {
    const { client } = await asked({ served: { [key]: { enabled: false } } });
    expect(await client.getBooleanDetails(key, true, early)).toMatchObject({ value: false, reason: "DISABLED" });
  });

  it("says that a variable decided [A6]", async () => {
    const runtime = new FlagProcess();
    runtime.variables.TIDEGATE_BATCH_PATCHES_V1 = "true";
    const { client } = await asked({ runtime });
    expect(await client.getBooleanDetails(key, false)).toMatchObject({ value: true, reason: "STATIC" });
  });

  it("says that the document may be old, while the source cannot be read [A6]", async () => {
    const { client, process } = await asked();
    process.served = new Error("boom");
    await process.flags.refresh();
    expect(await client.getBooleanDetails(key, false, early)).toMatchObject({ value: true, reason: "STALE" });
  });

  it("is the default with OpenFeature's code where there is none [A6]", async () => {
    const outcome = async (served: unknown, flag: string, context: EvaluationContext = early) => {
      const { client } = await asked({ served });
      const { value, reason, errorCode, errorMessage } = await client.getBooleanDetails(flag, false, context);
      return [value, reason, errorCode, errorMessage];
    };
    const on = { [key]: { enabled: true, exposurePercent: 100 } };
    expect(await outcome({}, key)).toEqual([false, "ERROR", ErrorCode.FLAG_NOT_FOUND, `there is no flag "${key}"`]);
    expect(await outcome(on, "constructor")).toEqual([
      false,
      "ERROR",
      ErrorCode.FLAG_NOT_FOUND,
      'there is no flag "constructor"',
    ]);
    expect(await outcome({ [key]: { enabled: true } }, key)).toEqual([
      false,
      "ERROR",
      ErrorCode.PARSE_ERROR,
      `flag "${key}" has no exposurePercent`,
    ]);
    expect(await outcome(on, key, {})).toEqual([
      false,
      "ERROR",
      ErrorCode.TARGETING_KEY_MISSING,
      "a flag is on for ids; expected targetingKey",
    ]);
    expect(await outcome(on, key, { targetingKey: 7 as unknown as string })).toEqual([
      false,
      "ERROR",
      ErrorCode.INVALID_CONTEXT,
      "targetingKey is not a text; expected one that is not empty",
    ]);
  });

  it("is a type mismatch for anything but a boolean [A6]", async () => {
    const { client } = await asked();
    const details = [
      await client.getStringDetails(key, "no", early),
      await client.getNumberDetails(key, 7, early),
      await client.getObjectDetails(key, { none: true }, early),
    ];
    expect(details.map(({ value, reason, errorCode }) => [value, reason, errorCode])).toEqual([
      ["no", "ERROR", ErrorCode.TYPE_MISMATCH],
      [7, "ERROR", ErrorCode.TYPE_MISMATCH],
      [{ none: true }, "ERROR", ErrorCode.TYPE_MISMATCH],
    ]);
  });

  it("with a default of true is warned of once: it would be on while nothing is known [A6]", async () => {
    const { client, runtime } = await asked();
    for (let round = 0; round < 2; round += 1) await client.getBooleanValue(key, true, early);
    expect(runtime.warnings).toEqual([
      `openFeatureProvider: "${key}": its default is true; expected false. It is on for everybody while nothing is known`,
    ]);
  });
});

describe("the provider", () => {
  it("is in error until the first document, answers with defaults, and gets ready by itself [A6]", async () => {
    const { client, process, error } = await asked({ served: new Error("boom") });
    expect(error).toMatchObject({
      code: ErrorCode.PROVIDER_NOT_READY,
      message: "no document has come from the function given as source yet: boom",
    });
    expect(client.providerStatus).toBe(ProviderStatus.ERROR);
    expect(await client.getBooleanDetails(key, false, early)).toMatchObject({
      value: false,
      reason: "ERROR",
      errorCode: ErrorCode.PROVIDER_NOT_READY,
    });
    process.served = { [key]: { enabled: true, exposurePercent: 50 } };
    await process.flags.refresh();
    expect(client.providerStatus).toBe(ProviderStatus.READY);
    expect(await client.getBooleanValue(key, false, early)).toBe(true);
  });

  it("tells of changes, of being stale, of being too old, and of being well again [A6]", async () => {
    const { client, process, runtime } = await asked({ maximumAgeSeconds: 30 });
    const told: unknown[] = [];
    for (const event of [ProviderEvents.Stale, ProviderEvents.Error, ProviderEvents.ConfigurationChanged]) {
      client.addHandler(event, (details) => {
        told.push([event, details?.message, ...(details && "flagsChanged" in details ? [details.flagsChanged] : [])]);
      });
    }
    process.served = { [key]: { enabled: false } };
    await process.flags.refresh();
    process.served = new Error("boom");
    await process.flags.refresh();
    expect(client.providerStatus).toBe(ProviderStatus.STALE);
    runtime.pass(31_000);
    await settle();
    expect(client.providerStatus).toBe(ProviderStatus.ERROR);
    expect(await client.getBooleanDetails(key, false, early)).toMatchObject({ errorCode: ErrorCode.GENERAL });
    process.served = { [key]: { enabled: false } };
    await process.flags.refresh();
    expect(client.providerStatus).toBe(ProviderStatus.READY);
    expect(told).toEqual([
      ["PROVIDER_CONFIGURATION_CHANGED", undefined, [key]],
      ["PROVIDER_STALE", "boom"],
      ["PROVIDER_ERROR", "the document of the function given as source is older than 30 s: boom"],
    ]);
  });

  it("closes without closing the flags, which are the application's [A6]", async () => {
    const { process } = await asked();
    await OpenFeature.clearProviders();
    process.served = { [key]: { enabled: true, exposurePercent: 0 } };
    await process.flags.refresh();
    expect(process.flags.evaluate(key, "0")).toEqual({ isOn: false, because: "split" });
  });
});
