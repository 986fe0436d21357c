/** Pictures for Slack: put into the bucket once, and shown by a signed URL that is good for a day's half (D6). */
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import { s3PictureStore } from "../../reports/channels.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "stand-in" };
const bucket = "tidegate-dev-report-pictures";
const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47]);

function aClient() {
  const client = new S3Client({ region: "eu-west-1", credentials, maxAttempts: 1 });
  return { client, mock: mockClient(client) };
}

describe("the store of pictures", () => {
  it("puts the picture as PNG and answers a signed URL of that very object, good for 12 hours [D6]", async () => {
    const { client, mock } = aClient();
    mock.on(PutObjectCommand).resolves({});
    const url = new URL(await s3PictureStore(client, bucket).put("week/2026-W47/checkout.png", png));
    expect(mock.commandCalls(PutObjectCommand).map(({ args: [{ input }] }) => input)).toEqual([
      { Bucket: bucket, Key: "week/2026-W47/checkout.png", Body: png, ContentType: "image/png" },
    ]);
    // Signing asks nobody.
    expect(mock.commandCalls(GetObjectCommand)).toEqual([]);
    expect([url.protocol, url.host, url.pathname]).toEqual([
      "https:",
      `${bucket}.s3.eu-west-1.amazonaws.com`,
      "/week/2026-W47/checkout.png",
    ]);
    const of = (name: string) => url.searchParams.get(name);
    expect([of("X-Amz-Algorithm"), of("X-Amz-Expires"), of("X-Amz-SignedHeaders"), of("x-id")]).toEqual([
      "AWS4-HMAC-SHA256",
      "43200",
      "host",
      "GetObject",
    ]);
    expect(of("X-Amz-Credential")).toMatch(/^AKIDEXAMPLE\/\d{8}\/eu-west-1\/s3\/aws4_request$/);
    expect(of("X-Amz-Signature")).toMatch(/^[0-9a-f]{64}$/);
    expect(url.href).not.toContain(credentials.secretAccessKey);
  });

  it("answers no URL of a picture that could not be put, and says where it should have gone [D6]", async () => {
    const { client, mock } = aClient();
    mock.on(PutObjectCommand).rejects(Object.assign(new Error("no"), { name: "AccessDenied" }));
    await expect(s3PictureStore(client, bucket).put("a.png", png)).rejects.toThrow(`bucket ${bucket}: putting a.png`);
  });
});
