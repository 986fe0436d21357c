/** What is deployed: the same bytes from the same sources, light, and able to run by itself. */
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  buildHookBundle,
  buildReportBundle,
  bundleEntry,
  bundleModule,
  maximumBundleBytes,
} from "../../hooks/bundle.ts";
import { installedPictureFiles } from "../../reports/assets.ts";

async function filesIn(bundle: string) {
  const names = (await readdir(bundle)).sort();
  return Promise.all(names.map(async (name) => [name, await readFile(join(bundle, name), "utf8")] as const));
}

describe("the report's bundle", () => {
  it("is the same bytes twice, has its pictures' files beside it, and loads alone [D6]", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tidegate-report-bundle-"));
    const first = await filesIn(await buildReportBundle(installedPictureFiles(), join(folder, "1")));
    expect(await filesIn(await buildReportBundle(installedPictureFiles(), join(folder, "2")))).toEqual(first);
    expect(first.map(([name]) => name)).toEqual(expect.arrayContaining(["font.ttf", bundleEntry, "resvg.wasm"]));
    expect(first.some(([, text]) => text.includes(process.cwd()))).toBe(false);
    const loaded: { handler: () => Promise<unknown> } = await import(join(folder, "1", bundleEntry));
    await expect(loaded.handler()).rejects.toMatchObject({ name: "ReportVariablesError" });
  }, 20_000);
});

describe("the hook's bundle", () => {
  it("is the same bytes twice, loads alone, and weighs less than a megabyte", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tidegate-bundle-"));
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

  it("is the same bytes wherever its dependencies are installed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tidegate-layout-"));
    const bundleOf = async (layout: string, dependencies: string) => {
      for (const name of ["pages", "traces"]) {
        const path = join(folder, dependencies, "node_modules", name);
        await mkdir(path, { recursive: true });
        await writeFile(join(path, "package.json"), JSON.stringify({ name, type: "module", main: "index.js" }));
        await writeFile(
          join(path, "index.js"),
          `import { shared } from "shared"; export const name = shared("${name}");`,
        );
      }
      const shared = join(folder, dependencies, "node_modules", "shared");
      await mkdir(shared, { recursive: true });
      await writeFile(
        join(shared, "package.json"),
        JSON.stringify({ name: "shared", type: "module", main: "index.js" }),
      );
      await writeFile(join(shared, "index.js"), "export const shared = (text) => text.toUpperCase();");
      await mkdir(join(folder, layout), { recursive: true });
      await writeFile(
        join(folder, layout, "entry.mjs"),
        'export const handler = async () => [(await import("pages")).name, (await import("traces")).name];',
      );
      return filesIn(await bundleModule(join(folder, layout, "entry.mjs"), join(folder, layout, "out")));
    };
    const nested = await bundleOf("nested", "nested");
    const hoisted = await bundleOf("hoisted/node_modules/tidegate", "hoisted");
    expect(hoisted).toEqual(nested);
    expect(nested.length).toBe(4);
    const loaded: { handler: () => Promise<unknown> } = await import(join(folder, "nested", "out", bundleEntry));
    expect(await loaded.handler()).toEqual(["PAGES", "TRACES"]);
  });
});
