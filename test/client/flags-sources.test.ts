/** Sources as they are: an agent over HTTP on the loopback interface, and files. */
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { maximumDocumentBytes } from "../../client/flags/document.ts";
import { type AppConfigAgentOptions, appConfigAgent, type FlagSource, flagFile, flags } from "../../client/flags.ts";
import { FlagProcess, key } from "./flag-process.ts";

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const runtimeOf = () => new FlagProcess();

/** What a source says, told by the flags that read it. */
async function readOnce(source: FlagSource, environment = "production") {
  const runtime = runtimeOf();
  const read = flags({ environment, source, keys: [key], runtime });
  await read.refresh();
  const { state, failure } = read.status();
  read.close();
  return { state, failure, isOn: read.isOn(key, "user-1"), warnings: runtime.warnings };
}

const onForAll = JSON.stringify({ [key]: { enabled: true, exposurePercent: 100 } });

describe("the AppConfig agent", () => {
  const asked: { url: string | undefined; authorization: string | undefined }[] = [];

  async function agent(answer: RequestListener): Promise<string> {
    asked.length = 0;
    const server: Server = createServer((request, response) => {
      asked.push({ url: request.url, authorization: request.headers.authorization });
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://localhost:${(server.address() as AddressInfo).port}`;
  }
  const source = (url: string, options: Partial<AppConfigAgentOptions> = {}) =>
    appConfigAgent({ application: "shop", configuration: "checkout", url, ...options });

  it("is asked for the configuration of this environment [A6]", async () => {
    const url = await agent((_, response) => response.end(onForAll));
    expect(await readOnce(source(url))).toMatchObject({ state: "fresh", isOn: true, warnings: [] });
    expect(asked).toEqual([
      { url: "/applications/shop/environments/production/configurations/checkout", authorization: undefined },
    ]);
  });

  it("is asked by whatever names, and with its token [A6]", async () => {
    const url = await agent((_, response) => response.end(onForAll));
    await readOnce(source(url, { application: "shop/web ä", environment: "e1?x", accessToken: "t0ken" }));
    expect(asked).toEqual([
      {
        url: "/applications/shop%2Fweb%20%C3%A4/environments/e1%3Fx/configurations/checkout",
        authorization: "Bearer t0ken",
      },
    ]);
  });

  it.each<[string, RequestListener, string]>([
    ["that answers an error", (_, response) => response.writeHead(404).end(onForAll), "it answered 404"],
    [
      "that sends elsewhere",
      (_, response) => response.writeHead(302, { location: "/x" }).end(),
      "fetch failed: unexpected redirect",
    ],
    [
      "that has no document",
      (_, response) => response.end("<html>"),
      'document: not JSON, got "<html>"; expected {"a-flag": {"enabled": true, "exposurePercent": 25}}',
    ],
    [
      "whose text is not UTF-8",
      (_, response) => response.end(Buffer.from([0x7b, 0xff])),
      "document: not UTF-8, got bytes that are none; expected JSON",
    ],
    [
      "that does not come to an end",
      (_, response) => {
        const more = () => {
          while (response.write(" ".repeat(65_536)));
        };
        response.on("drain", more);
        more();
      },
      `document: too long, got more than ${maximumDocumentBytes} bytes; expected no more. Keep what is no flag elsewhere`,
    ],
  ])("%s has everything off, with the reason [A6]", async (_, answer, failure) => {
    const read = await readOnce(source(await agent(answer)));
    expect(read).toEqual({
      state: "not-ready",
      failure,
      isOn: false,
      warnings: [expect.stringContaining(`cannot be read, got ${failure}. All flags are off until it is read`)],
    });
  });

  it("that breaks off, or is not there any more, has everything off, with the reason [A6]", async () => {
    const url = await agent((request, response) => void response.write("{", () => request.socket.destroy()));
    const broken = await readOnce(source(url));
    // What comes after it is the HTTP client's own word for it.
    expect([broken.state, broken.failure]).toEqual(["not-ready", expect.stringMatching(/^terminated/)]);
    for (const end of ends.splice(0)) end();
    const gone = await readOnce(source(url.replace("localhost", "127.0.0.1")));
    const refused = `fetch failed: connect ECONNREFUSED 127.0.0.1:${new URL(url).port}`;
    expect([gone.state, gone.failure]).toEqual(["not-ready", refused]);
  });

  it("refuses a token that no header takes, without telling it [A6]", () => {
    expect(() => source("http://localhost:2772", { accessToken: "sec\nret" })).toThrow(
      new TypeError(
        "appConfigAgent: accessToken: not what a header takes, got something else; expected printable ASCII without spaces. Take line ends off it",
      ),
    );
  });

  it.each([
    "https://localhost:2772",
    "http://appconfig.example.com:2772",
    "http://localhost.example.com:2772",
    "http://user:password@localhost:2772",
    "http://localhost:2772/applications",
    "file:///etc/passwd",
    "nonsense",
  ])("is on this machine, or refused: %s [A6]", (url) => {
    expect(() => source(url)).toThrow(
      new TypeError(
        `appConfigAgent: url: not on this machine, got ${JSON.stringify(url)}; expected http://localhost with a port. For anything else give a function as source`,
      ),
    );
  });

  it("is refused without names, all at once [A6]", () => {
    expect(() => appConfigAgent({ application: "" } as AppConfigAgentOptions)).toThrow(
      new TypeError(
        [
          'appConfigAgent: application: missing, got ""; expected an id or a name in AppConfig',
          "appConfigAgent: configuration: missing, got undefined; expected an id or a name in AppConfig",
        ].join("\n"),
      ),
    );
  });
});

describe("a file", () => {
  function folder(): string {
    const path = mkdtempSync(join(tmpdir(), "flags-"));
    ends.push(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  it("is read anew each time: writing enabled false is a kill switch [A6]", async () => {
    const path = join(folder(), ".feature-flags.json");
    writeFileSync(path, onForAll);
    const read = flags({ environment: "production", source: flagFile(path), keys: [key], runtime: runtimeOf() });
    ends.push(() => read.close());
    await read.refresh();
    expect(read.isOn(key, "user-1")).toBe(true);
    writeFileSync(`${path}.new`, `{"${key}": {"enabled": false}}`);
    renameSync(`${path}.new`, path);
    await read.refresh();
    expect(read.evaluate(key, "user-1")).toEqual({ isOn: false, because: "disabled" });
  });

  it("may be one for each environment [A6]", async () => {
    const path = folder();
    writeFileSync(join(path, "flags.staging.json"), onForAll);
    writeFileSync(join(path, "flags.production.json"), `{"${key}": {"enabled": false}}`);
    const source = flagFile(join(path, "flags.{environment}.json"));
    expect([(await readOnce(source, "staging")).isOn, (await readOnce(source, "production")).isOn]).toEqual([
      true,
      false,
    ]);
  });

  it("that is missing, a folder, endless or half written has everything off, with the reason [A6]", async () => {
    const path = folder();
    symlinkSync("/dev/zero", join(path, "endless"));
    writeFileSync(join(path, "half"), onForAll.slice(0, -3));
    writeFileSync(join(path, "long"), " ".repeat(maximumDocumentBytes + 1));
    const failure = async (name: string) => (await readOnce(flagFile(join(path, name)))).failure?.replaceAll(path, "…");
    expect([
      await failure("missing"),
      await failure("."),
      await failure("endless"),
      await failure("half"),
      await failure("long"),
    ]).toEqual([
      "ENOENT: no such file or directory, stat '…/missing'",
      "it is not a file",
      "it is not a file",
      `document: not JSON, got ${JSON.stringify(onForAll.slice(0, -3).slice(0, 60))}; expected {"a-flag": {"enabled": true, "exposurePercent": 25}}`,
      `document: too long, got more than ${maximumDocumentBytes} bytes; expected no more. Keep what is no flag elsewhere`,
    ]);
  });

  it("is refused without a path [A6]", () => {
    expect(() => flagFile("")).toThrow(
      new TypeError('flagFile: path: missing, got ""; expected the path of a file, such as .feature-flags.json'),
    );
  });
});
