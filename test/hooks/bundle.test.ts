/** What is deployed: the same bytes from the same sources, light, and able to run by itself. */
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildHookBundle, bundleEntry, maximumBundleBytes } from "../../hooks/bundle.ts";

describe("the hook's bundle", () => {
  it("is the same bytes twice, loads alone, and weighs less than a megabyte", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tidegate-bundle-"));
    const filesIn = async (bundle: string) =>
      Promise.all(
        (await readdir(bundle)).sort().map(async (name) => [name, await readFile(join(bundle, name), "utf8")] as const),
      );
    await mkdir(join(folder, "2"));
    await writeFile(join(folder, "2", "part-OLD.mjs"), "left over");
    const first = await filesIn(await buildHookBundle(join(folder, "1")));
    expect(await filesIn(await buildHookBundle(join(folder, "2")))).toEqual(first);
    const text = first.map(([, contents]) => contents).join("");
    expect(Buffer.byteLength(text)).toBeLessThan(maximumBundleBytes);
    expect(text).not.toContain(process.cwd());
    const loaded: { handler: (event: unknown) => Promise<unknown> } = await import(join(folder, "1", bundleEntry));
    await expect(loaded.handler("garbage")).rejects.toMatchObject({ name: "UnknownEventError" });
  }, 20_000);
});
