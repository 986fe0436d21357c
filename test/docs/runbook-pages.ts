/** The runbooks as data: what a page begins with, its sections, its command blocks, where it links to. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Nodes, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";

export const runbookFolder = fileURLToPath(new URL("../../docs/runbooks/", import.meta.url));

export interface RunbookPage {
  /** File name without `.md`. */
  readonly name: string;
  readonly text: string;
  /** Everything at the top level, in order. */
  readonly nodes: readonly RootContent[];
  /** Titles of the second level, in order. */
  readonly sections: readonly string[];
  /** Fenced blocks in order, each with the section it is in; empty before the first section. */
  readonly blocks: readonly { readonly section: string; readonly lang: string; readonly text: string }[];
  readonly links: readonly string[];
}

/** Every Markdown file of the folder, the index included, by name. */
export function readPages(): RunbookPage[] {
  return readdirSync(runbookFolder)
    .filter((file) => file.endsWith(".md"))
    .sort()
    .map((file) => pageOf(file.slice(0, -".md".length), readFileSync(`${runbookFolder}${file}`, "utf8")));
}

/** One page, parsed. */
export function pageOf(name: string, text: string): RunbookPage {
  const nodes = fromMarkdown(text).children;
  const sections: string[] = [];
  const blocks: { section: string; lang: string; text: string }[] = [];
  const links: string[] = [];
  const visit = (node: Nodes): void => {
    if (node.type === "heading" && node.depth === 2) sections.push(plainText(node));
    if (node.type === "code") blocks.push({ section: sections.at(-1) ?? "", lang: node.lang ?? "", text: node.value });
    if (node.type === "link") links.push(node.url);
    if ("children" in node) for (const child of node.children) visit(child);
  };
  for (const node of nodes) visit(node);
  return { name, text, nodes, sections, blocks, links };
}

/** A node's text without its marks. */
export function plainText(node: Nodes): string {
  if ("value" in node) return node.value;
  return "children" in node ? node.children.map(plainText).join("") : "";
}
