/** Entry of the report's own function: every quarter of an hour, one look for what is due. Pictures' files lie beside the code. */
import { readFile } from "node:fs/promises";
import { Redaction } from "../hooks/aws/redaction.ts";
import { type LookPorts, look } from "./look.ts";
import { partsFromEnvironment } from "./parts.ts";
import type { PictureAssets } from "./picture.ts";

/** The handler over given parts. @returns what the log should show: every report that went out */
export function makeReporter(
  parts: (redaction: Redaction) => LookPorts,
  redaction: Redaction,
  write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
): () => Promise<{ readonly sent: readonly string[] }> {
  let made: LookPorts | undefined;
  return async () => {
    try {
      made ??= parts(redaction);
      const sent = await look(made);
      for (const report of sent) write(JSON.stringify({ level: "INFO", message: "report sent", report }));
      return { sent };
    } catch (error) {
      // The runtime prints what a handler throws.
      throw redaction.error(error);
    }
  };
}

async function deployedAssets(): Promise<PictureAssets> {
  const beside = (name: string) => readFile(new URL(name, import.meta.url));
  const [resvgWasm, fontTtf] = await Promise.all([beside("./resvg.wasm"), beside("./font.ttf")]);
  return { resvgWasm, fontTtf };
}

const { env } = process;
export const handler = makeReporter(
  (redaction) => partsFromEnvironment(env, redaction, deployedAssets),
  new Redaction([env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN]),
);
