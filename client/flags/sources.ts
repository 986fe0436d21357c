/**
 * Where flag documents come from: AWS AppConfig's agent beside the process, a file, or a function of the application's own.
 *
 * The agent (a container beside the application's, or the Lambda extension) listens on the loopback interface and answers from what it has, so
 * its own polling comes on top of ours. Source, read 2026-11:
 * https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-containers-agent-configuring.html (port 2772, access token)
 */
import { open, stat } from "node:fs/promises";
import { FlagDocumentError, maximumDocumentBytes, shown } from "./document.ts";

export interface FlagSource {
  /** What it is called in messages. */
  readonly name: string;
  /**
   * The document of an environment, as text or as a value. Called in the background, once at a time.
   *
   * @param signal says when nobody waits any more
   */
  read(environment: string, signal: AbortSignal): unknown;
}

export interface AppConfigAgentOptions {
  /** Id or name in AppConfig. */
  readonly application: string;
  /** Id or name of the configuration profile. */
  readonly configuration: string;
  /** Id or name of AppConfig's environment. @default the environment of `flags` */
  readonly environment?: string;
  /** Where the agent listens, on the loopback interface. @default "http://localhost:2772" */
  readonly url?: string;
  /** The agent's ACCESS_TOKEN. @default none */
  readonly accessToken?: string;
}

const defaultAgentUrl = "http://localhost:2772";

/**
 * AppConfig's agent.
 *
 * @throws TypeError for an option that is missing, or an agent that is not on the loopback interface
 */
export function appConfigAgent(options: AppConfigAgentOptions): FlagSource {
  const { application, configuration, environment, url = defaultAgentUrl, accessToken } = options;
  const names = { application, configuration, ...(environment === undefined ? {} : { environment }) };
  const problems = Object.entries(names)
    .filter(([, value]) => typeof value !== "string" || value === "")
    .map(
      ([name, value]) => `appConfigAgent: ${name}: missing, got ${shown(value)}; expected an id or a name in AppConfig`,
    );
  const base = loopbackUrl(url);
  if (base === undefined) {
    problems.push(
      `appConfigAgent: url: not on this machine, got ${shown(url)}; expected http://localhost with a port. For anything else give a function as source`,
    );
  }
  // A token that no header takes would be told in the error of every read.
  if (accessToken !== undefined && !(typeof accessToken === "string" && /^[\x21-\x7e]+$/.test(accessToken))) {
    problems.push(
      "appConfigAgent: accessToken: not what a header takes, got something else; expected printable ASCII without spaces. Take line ends off it",
    );
  }
  if (base === undefined || problems.length > 0) throw new TypeError(problems.join("\n"));
  const path = (of: string) =>
    `/applications/${encodeURIComponent(application)}/environments/${encodeURIComponent(environment ?? of)}/configurations/${encodeURIComponent(configuration)}`;
  return {
    name: `the AppConfig agent at ${base.origin}`,
    async read(of, signal) {
      const response = await fetch(new URL(path(of), base), {
        signal,
        redirect: "error",
        ...(accessToken === undefined ? {} : { headers: { authorization: `Bearer ${accessToken}` } }),
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`it answered ${response.status}`);
      }
      return decoded(response.body ?? []);
    },
  };
}

function loopbackUrl(text: unknown): URL | undefined {
  if (typeof text !== "string" || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  const isBare =
    url.protocol === "http:" && url.pathname === "/" && url.search + url.hash + url.username + url.password === "";
  return isLoopback && isBare ? url : undefined;
}

/**
 * A file, `.feature-flags.json` say, read anew each time. `{environment}` in the path is the environment's name; without it all environments
 * have the same flags. Replace it by renaming: a file that is read while it is written is refused, and read again later.
 *
 * @throws TypeError without a path
 */
export function flagFile(path: string): FlagSource {
  if (typeof path !== "string" || path === "") {
    throw new TypeError(
      `flagFile: path: missing, got ${shown(path)}; expected the path of a file, such as .feature-flags.json`,
    );
  }
  return {
    name: `the file ${path}`,
    async read(environment, signal) {
      const of = path.replaceAll("{environment}", environment);
      // Before it is opened: to open a pipe is to wait for who writes it.
      if (!(await stat(of)).isFile()) throw new Error("it is not a file");
      const file = await open(of);
      try {
        return await decoded(file.createReadStream({ autoClose: false, signal, end: maximumDocumentBytes }));
      } finally {
        await file.close();
      }
    },
  };
}

/** Bytes as text, all of them or an error. */
async function decoded(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let bytes = 0;
  let text = "";
  try {
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      if (bytes > maximumDocumentBytes) {
        throw new FlagDocumentError(
          `document: too long, got more than ${maximumDocumentBytes} bytes; expected no more. Keep what is no flag elsewhere`,
        );
      }
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError) || !("code" in error) || error.code !== "ERR_ENCODING_INVALID_ENCODED_DATA")
      throw error;
    throw new FlagDocumentError("document: not UTF-8, got bytes that are none; expected JSON", { cause: error });
  }
}
