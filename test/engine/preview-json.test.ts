/**
 * What the real engine prints for `pulumi preview --json` of our own program, in both of its forms, and that the recordings which the
 * comment's tests read are still what it prints. Runs within `npm run test:aws` where `pulumi` is on PATH; it needs no emulator.
 * `RECORD_PREVIEWS=1` writes the recordings anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPreview } from "../../cli/preview-json.ts";
import { commentOn, recordings } from "../cli/comment/recorded.ts";
import { Engine, engineOnPath } from "./harness.ts";
import { trimDigest, trimEvents } from "./preview-json/trim.ts";

const folder = fileURLToPath(new URL("preview-json", import.meta.url));
const records = process.env.RECORD_PREVIEWS === "1";
const streaming = (value: boolean) => ({ PULUMI_ENABLE_STREAMING_JSON_PREVIEW: String(value) });
const aPack = ["--policy-pack", `${folder}/pack`];

if (!engineOnPath())
  console.warn("test/engine/preview-json: skipped, pulumi and pulumi-language-nodejs are not on PATH");

/** As a comment would be about the dev stack. */
const ofDev = (text: string) =>
  text.replaceAll("urn:pulumi:test::", "urn:pulumi:dev::").replaceAll("tidegate-test", "tidegate-dev");

describe.skipIf(!engineOnPath())("pulumi preview --json of our own program", { timeout: 120_000 }, () => {
  let engine: Engine;
  const fresh = new Map<string, string>();

  beforeAll(async () => {
    engine = await Engine.start({
      program: `${folder}/program.ts`,
      config: {
        "aws:region": "eu-west-1",
        "tidegate:environment": "dev",
        "tidegate:network": {},
        "tidegate:services": {},
      },
    });
    const first = await engine.previewText({
      args: aPack,
      env: { ...streaming(true), TIDEGATE_PREVIEW_CASE: "idle", TIDEGATE_PREVIEW_POLICIES: "loud" },
    });
    fresh.set("blocked-first.jsonl", first.stdout);
    const up = await engine.up({ env: { TIDEGATE_PREVIEW_CASE: "idle" } });
    expect(up.errors).toBe("");
    for (const [file, { asks, policies, streams }] of Object.entries(recordings)) {
      if (fresh.has(file)) continue;
      const { stdout } = await engine.previewText({
        args: policies === "none" ? [] : aPack,
        env: { ...streaming(streams), TIDEGATE_PREVIEW_CASE: asks, TIDEGATE_PREVIEW_POLICIES: policies },
      });
      fresh.set(file, stdout);
    }
  }, 540_000);
  afterAll(() => engine.remove());

  it.each(Object.keys(recordings))(
    "is what the recording %s says, to the last word of the comment [E2]",
    async (file) => {
      const whole = fresh.get(file) ?? "";
      const trimmed = file.endsWith(".jsonl") ? trimEvents(whole) : trimDigest(whole);
      const path = fileURLToPath(new URL(`../cli/comment/previews/${file}`, import.meta.url));
      if (records) writeFileSync(path, trimmed);
      const comment = await commentOn(ofDev(whole));
      expect(await commentOn(trimmed)).toEqual(comment);
      expect(await commentOn(readFileSync(path, "utf8"))).toEqual(comment);
    },
  );

  it("tells policy results by events alone: the object of a blocked preview has no word of them [E2]", async () => {
    const { exitCode, stdout } = await engine.previewText({
      args: aPack,
      env: { ...streaming(false), TIDEGATE_PREVIEW_CASE: "opening", TIDEGATE_PREVIEW_POLICIES: "loud" },
    });
    expect(exitCode).not.toBe(0);
    const { policies, result, messages } = readPreview(stdout);
    expect({ policies, result }).toEqual({ policies: undefined, result: "failed" });
    expect(messages.filter(({ severity }) => severity === "error")).toEqual([
      { severity: "error", text: "preview failed" },
    ]);
    expect(stdout).not.toContain("weights are wrong");
  });

  it("ends without a summary where the pack does not load, which is no success [E1, E2]", async () => {
    const { exitCode, stdout } = await engine.previewText({
      args: ["--policy-pack", `${folder}/no-such-pack`],
      env: { ...streaming(true), TIDEGATE_PREVIEW_CASE: "idle" },
    });
    expect(exitCode).not.toBe(0);
    expect(readPreview(stdout).result).toBe("unfinished");
  });
});
