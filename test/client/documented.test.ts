/** The examples of docs/metrics.md: every one compiles, every server runs and is measured, and the shell line makes the program's key. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { releaseKey } from "../../core/naming.ts";
import { compileProblems, documentedPage, root } from "./documented-page.ts";

// Any port will do.
const { blocks, folder, examples } = documentedPage("docs/metrics.md", (code) => code.replaceAll("8080", "0"));

/** Asks the first server that listens for two paths, and ends the process. */
const visitor = `
import { Server } from "node:net";
const listen = Server.prototype.listen;
Server.prototype.listen = function (...args) {
  this.once("listening", async () => {
    const { port } = this.address();
    for (const path of ["/orders", "/healthz"]) await (await fetch(\`http://127.0.0.1:\${port}\${path}\`)).text();
    process.exit(0);
  });
  return listen.apply(this, args);
};
`;

describe("docs/metrics.md", () => {
  it("has examples that compile as they stand [B3]", () => {
    expect(compileProblems(examples)).toEqual([]);
    expect(examples).toHaveLength(9);
  }, 60_000);

  const servers = examples.filter(({ code }) => code.includes("8080"));
  it.each(servers)(
    "has a server that runs and is measured: the one of example $index [B3]",
    ({ file }) => {
      writeFileSync(join(folder, "visitor.mjs"), visitor);
      const { stdout, stderr } = spawnSync(
        process.execPath,
        ["--import", "tsx/esm", "--import", join(folder, "visitor.mjs"), file],
        {
          cwd: root,
          encoding: "utf8",
          timeout: 60_000,
          env: { PATH: process.env.PATH ?? "", TIDEGATE_RELEASE: "2-4-0-1a2b3c4d" },
        },
      );
      const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
      expect([stderr, lines.length]).toEqual(["", 1]);
      expect(JSON.parse(lines[0] ?? "")).toMatchObject({
        Service: "checkout",
        Release: "2-4-0-1a2b3c4d",
        Requests: 1,
        Errors: 0,
      });
    },
    90_000,
  );

  it("makes the key that the program gives the release, whatever the version [E7]", () => {
    const [, ...line] = (blocks("sh")[0] ?? "").split("\n");
    const script = `${line.slice(1).join("\n")}\nprintf %s "$TIDEGATE_RELEASE"`;
    const key = (version: string, digest: string) =>
      spawnSync("bash", ["-c", script], { encoding: "utf8", env: { PATH: process.env.PATH ?? "", version, digest } })
        .stdout;
    const versions = fc.stringMatching(/^[ -~]{1,40}$/);
    fc.assert(
      fc.property(versions, fc.stringMatching(/^sha256:[0-9a-f]{64}$/), (version, digest) => {
        expect(key(version, digest)).toBe(releaseKey({ version, digest }));
      }),
      { numRuns: 10 },
    );
  });
});
