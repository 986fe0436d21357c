/**
 * Bundles the handlers of the hook, of its watchman and of the SLO report for Lambda, each into a folder of its own: `index.mjs`, and beside it the parts
 * that are loaded when they are needed (pages, secrets, traces). In one file they would be read at every cold start, before a rollback.
 *
 * The bytes and the names depend on the sources alone, so that an unchanged hook is unchanged for Pulumi from any machine and any folder.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Where the bundles go; ignored by git. */
export const hookBundleFolder = join(root, "dist", "hook");
export const watchmanBundleFolder = join(root, "dist", "watchman");
export const reportBundleFolder = join(root, "dist", "report");

/** What Lambda loads; the handler is `index.handler`. */
export const bundleEntry = "index.mjs";

/** Most that all files of a bundle may weigh. Unit: bytes. */
export const maximumBundleBytes = 1_000_000;

/**
 * Builds the hook's bundle and answers its folder. Takes a fraction of a second.
 * @throws Error when it does not build or is heavier than a megabyte
 */
export const buildHookBundle = (folder: string = hookBundleFolder): Promise<string> =>
  bundleModule(join(root, "hooks", "handler.ts"), folder);

/** Builds the watchman's bundle and answers its folder. @throws Error as for the hook's */
export const buildWatchmanBundle = (folder: string = watchmanBundleFolder): Promise<string> =>
  bundleModule(join(root, "hooks", "watchman-handler.ts"), folder);

/** Most that the report's files may weigh: it draws pictures, and nobody waits for its cold start. Unit: bytes. */
export const maximumReportBundleBytes = 8_000_000;

/**
 * Builds the bundle of the SLO report's function and answers its folder.
 * @param files that lie beside the code, path by name
 * @throws Error when it does not build, a file is missing, or all is heavier than eight megabytes
 */
export const buildReportBundle = (
  files: Readonly<Record<string, string>>,
  folder: string = reportBundleFolder,
): Promise<string> =>
  bundleModule(join(root, "reports", "handler.ts"), folder, { maximumBytes: maximumReportBundleBytes, files });

/**
 * Bundles one module the way the hook is; for comparisons with it.
 * @throws Error as for the hook's
 */
export async function bundleModule(
  entry: string,
  folder: string,
  {
    maximumBytes = maximumBundleBytes,
    files = {},
  }: { readonly maximumBytes?: number; readonly files?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const beside = new Map(
    await Promise.all(Object.entries(files).map(async ([name, path]) => [name, await readFile(path)] as const)),
  );
  const { outputFiles } = await build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node22",
    format: "esm",
    minify: true,
    legalComments: "none",
    // The SDK's ES modules, which can be thinned out; Node would take the CommonJS ones.
    mainFields: ["module", "main"],
    write: false,
    // Only for the names: nothing is written here.
    outdir: root,
    outExtension: { ".js": ".mjs" },
    entryNames: "index",
    chunkNames: "part-[hash]",
    logLevel: "silent",
    // Some dependencies are CommonJS and call `require` for Node's own modules, which an ES module does not have.
    banner: {
      js: 'import{createRequire as tidegateCreateRequire}from"node:module";const require=tidegateCreateRequire(import.meta.url);',
    },
  });
  const ownBytes = outputFiles.reduce((sum, file) => sum + file.contents.byteLength, 0);
  if (ownBytes === 0) throw new Error(`bundle of ${entry}: esbuild gave no output`);
  const bytes = [...beside.values()].reduce((sum, file) => sum + file.byteLength, ownBytes);
  if (bytes > maximumBytes) {
    throw new Error(`bundle of ${entry}: too heavy, got ${bytes} bytes; expected at most ${maximumBytes}`);
  }
  const code = namedByContent(new Map(outputFiles.map((file) => [basename(file.path), file.text])));
  await writeFolder(folder, new Map<string, Uint8Array>([...beside, ...code]));
  return folder;
}

const partName = /part-[0-9A-Z]{8}\.mjs/g;

/**
 * Names the parts by what is in them. esbuild's own names depend on where dependencies lie, and in one checkout they lie elsewhere than in
 * another: the same hook would then look changed, and no wave opens beside a hook that changes.
 */
function namedByContent(files: ReadonlyMap<string, string>): Map<string, Uint8Array> {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);
  const alone = new Map([...files].map(([name, text]) => [name, hash(text.replace(partName, "part"))]));
  const names = new Map(
    [...files].map(([name, text]) => {
      if (name === bundleEntry) return [name, name];
      // What it loads is part of what it is.
      const whole = text.replace(partName, (part) => alone.get(part) ?? part);
      return [name, `part-${hash(whole)}.mjs`];
    }),
  );
  if (new Set(names.values()).size !== files.size) throw new Error("two parts of a bundle have the same content");
  return new Map(
    [...files].map(([name, text]) => [
      names.get(name) ?? name,
      Buffer.from(text.replace(partName, (part) => names.get(part) ?? part)),
    ]),
  );
}

/** The entry last, so that it never names a part that is not there; then what is no longer part of it goes. */
async function writeFolder(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = [...files.keys()].sort((left, right) => Number(left === bundleEntry) - Number(right === bundleEntry));
  for (const name of names) {
    const contents = files.get(name);
    if (contents) await writeIfChanged(join(folder, name), contents);
  }
  for (const name of await readdir(folder)) {
    if (!files.has(name) && name.endsWith(".mjs")) await rm(join(folder, name), { force: true });
  }
}

/** Whole or not at all, and not touched when the same: two programs may run at once. */
async function writeIfChanged(path: string, bytes: Uint8Array): Promise<void> {
  const old = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (old?.equals(bytes)) return;
  const draft = `${path}.${process.pid}.${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}`;
  await writeFile(draft, bytes);
  await rename(draft, path);
}
