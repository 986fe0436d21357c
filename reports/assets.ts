/** Where the pictures' files are on a machine with the product installed; the deployed function has copies beside its code. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { PictureAssets } from "./picture.ts";

const require = createRequire(import.meta.url);

/** By the name that they have beside the deployed code. */
export const pictureFiles = {
  "resvg.wasm": "@resvg/resvg-wasm/index_bg.wasm",
  "font.ttf": "dejavu-fonts-ttf/ttf/DejaVuSans.ttf",
} as const;

/** Paths of the installed files, by the same names. */
export function installedPictureFiles(): Readonly<Record<keyof typeof pictureFiles, string>> {
  return {
    "resvg.wasm": require.resolve(pictureFiles["resvg.wasm"]),
    "font.ttf": require.resolve(pictureFiles["font.ttf"]),
  };
}

export async function installedPictureAssets(): Promise<PictureAssets> {
  const files = installedPictureFiles();
  const [resvgWasm, fontTtf] = await Promise.all([readFile(files["resvg.wasm"]), readFile(files["font.ttf"])]);
  return { resvgWasm, fontTtf };
}
