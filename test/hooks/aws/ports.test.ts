import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import { pageMessageOf } from "../../../core/page-message.ts";
import type { Page } from "../../../core/record.ts";
import { callerAccount } from "../../../hooks/aws/caller-account.ts";
import { clientSettings } from "../../../hooks/aws/clients.ts";
import { awsPorts, PagerNotWiredError } from "../../../hooks/aws/ports.ts";
import type { Pager } from "../../../hooks/ports.ts";
import { silentTelemetry } from "../../../hooks/telemetry.ts";

const access = { region: "eu-west-1" };
const page: Page = { id: "page-1", dedupKey: "key", severity: "critical", summary: "rolled back", detail: "", at: 0 };
const place = { environment: "production", region: "eu-west-1", runbookBase: "docs/runbooks" };
const message = pageMessageOf(page, "checkout", undefined, place);

describe("AWS ports", () => {
  it("refuse to send a page by name, unless a pager is given", async () => {
    const ports = awsPorts({ ...access, tableName: "records", place });
    await expect(ports.pager.send(message, [])).rejects.toThrow(PagerNotWiredError);
    await expect(ports.pager.send(message, [])).rejects.toThrow(
      "page page-1 (rolled back): not sent from here; pages are sent by the deployed hook, which finds this one in the record within a minute",
    );
    const sent: string[] = [];
    const pager: Pager = {
      async send(each) {
        sent.push(each.page.id);
        return { deliveredTo: ["test"], failed: [] };
      },
    };
    await awsPorts({ ...access, tableName: "records", place, pager }).pager.send(message, []);
    expect(sent).toEqual(["page-1"]);
  });

  it("say where pages come from, and are silent unless telemetry is given [D7]", () => {
    const ports = awsPorts({ ...access, tableName: "records", place });
    expect(ports.place).toEqual(place);
    expect(ports.telemetry).toBe(silentTelemetry);
    const telemetry = { ...silentTelemetry };
    expect(awsPorts({ ...access, tableName: "records", place, telemetry }).telemetry).toBe(telemetry);
  });

  it("have fresh ids", () => {
    const { newId } = awsPorts({ ...access, tableName: "records", place });
    expect(newId()).toMatch(/^[0-9a-f-]{36}$/);
    expect(newId()).not.toBe(newId());
  });
});

describe("client settings", () => {
  it("bound tries and time, in the region given, and leave credentials and endpoint to the SDK", () => {
    expect(clientSettings(access)).toEqual({
      region: "eu-west-1",
      maxAttempts: 4,
      retryMode: "standard",
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
    });
  });

  it("take credentials that were found already", () => {
    const credentials = async () => ({ accessKeyId: "AKIA", secretAccessKey: "secret" });
    expect(clientSettings({ ...access, credentials }).credentials).toBe(credentials);
  });
});

describe("caller account", () => {
  function scene() {
    const client = new STSClient(access);
    return { client, mock: mockClient(client) };
  }

  it("is the account of the credentials", async () => {
    const { client, mock } = scene();
    mock.on(GetCallerIdentityCommand).resolves({ Account: "123456789012" });
    expect(await callerAccount(access, client)).toBe("123456789012");
  });

  it("is refused where STS names none, and thrown where STS fails", async () => {
    const { client, mock } = scene();
    mock.on(GetCallerIdentityCommand).resolvesOnce({}).rejects(new Error("expired"));
    await expect(callerAccount(access, client)).rejects.toThrow(
      "STS GetCallerIdentity: no account in the answer, got undefined; expected 12 digits",
    );
    await expect(callerAccount(access, client)).rejects.toThrow(
      "region eu-west-1: asking STS for the caller's account failed, got Error: expired",
    );
  });
});
