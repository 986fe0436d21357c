/**
 * Bundles the handlers of the hook and of its watchman, each into one file for Lambda. The bytes depend on the sources alone, so that an
 * unchanged hook is unchanged for Pulumi from any machine and any folder.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Where the bundles go; ignored by git. */
export const hookBundlePath = join(root, "dist", "hook", "index.mjs");
export const watchmanBundlePath = join(root, "dist", "watchman", "index.mjs");

/** Most the bundle may weigh. Unit: bytes. Loading time grows with it, and a rollback waits for the load. */
export const maximumBundleBytes = 1_000_000;

/**
 * Builds the hook's bundle and answers its path. Takes a fraction of a second.
 * @throws Error when it does not build or is heavier than a megabyte
 */
export const buildHookBundle = (outputPath: string = hookBundlePath): Promise<string> =>
  bundleModule(join(root, "hooks", "handler.ts"), outputPath);

/** Builds the watchman's bundle and answers its path. @throws Error as for the hook's */
export const buildWatchmanBundle = (outputPath: string = watchmanBundlePath): Promise<string> =>
  bundleModule(join(root, "hooks", "watchman-handler.ts"), outputPath);

/**
 * Bundles one module the way the hook is; for comparisons with it.
 * @throws Error as for the hook's
 */
export async function bundleModule(entry: string, outputPath: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node22",
    format: "esm",
    minify: true,
    legalComments: "none",
    // The SDK's ES modules, which can be thinned out; Node would take the CommonJS ones.
    mainFields: ["module", "main"],
    write: false,
    outfile: "index.mjs",
    logLevel: "silent",
    // Some dependencies are CommonJS and call `require` for Node's own modules, which an ES module does not have.
    banner: { js: 'import{createRequire as r}from"node:module";const require=r(import.meta.url);' },
  });
  const text = result.outputFiles[0]?.contents;
  if (!text) throw new Error(`bundle of ${entry}: esbuild gave no output`);
  if (text.byteLength > maximumBundleBytes) {
    throw new Error(
      `bundle of ${entry}: too heavy, got ${text.byteLength} bytes; expected at most ${maximumBundleBytes}`,
    );
  }
  await writeIfChanged(outputPath, text);
  return outputPath;
}

/** Whole or not at all, and not touched when the same: two programs may run at once. */
async function writeIfChanged(path: string, bytes: Uint8Array): Promise<void> {
  const old = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (old?.equals(bytes)) return;
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}`;
  await writeFile(draft, bytes);
  await rename(draft, path);
}
