/** The guides as a reader follows them: what is typed, block by block, and what should be seen after it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pageOf } from "./runbook-pages.ts";

const guideFolder = fileURLToPath(new URL("../../docs/guide/", import.meta.url));

/** A block of commands. */
export interface GuideStep {
  readonly section: string;
  readonly commands: string;
  /** Lines that the guide says one sees, each a part of one line; empty: it says nothing. */
  readonly seen: readonly string[];
}

export interface Guide {
  readonly text: string;
  readonly links: readonly string[];
  readonly steps: readonly GuideStep[];
}

/** @throws Error on a block that is neither commands nor what they show */
export function readGuide(name: string): Guide {
  const text = readFileSync(`${guideFolder}${name}.md`, "utf8");
  const page = pageOf(name, text);
  const steps: (GuideStep & { seen: string[] })[] = [];
  for (const block of page.blocks) {
    const last = steps.at(-1);
    if (block.lang === "sh") steps.push({ section: block.section, commands: block.text, seen: [] });
    else if (block.lang === "text" && last) last.seen.push(...block.text.split("\n"));
    else throw new Error(`guide ${name}: a block of kind "${block.lang}"; expected sh, or text after it`);
  }
  return { text, links: page.links, steps };
}
