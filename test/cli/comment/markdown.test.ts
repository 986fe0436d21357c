import fc from "fast-check";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { gfmTable } from "micromark-extension-gfm-table";
import { describe, expect, it } from "vitest";
import {
  code,
  commandBlock,
  joinFitting,
  list,
  mostCommentCharacters,
  oneLineOf,
  prose,
  table,
} from "../../../cli/comment/markdown.ts";

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly children?: readonly Node[];
}

const parse = (markdown: string): Node =>
  fromMarkdown(markdown, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] }) as Node;
const nodesOf = (node: Node): Node[] => [node, ...(node.children ?? []).flatMap(nodesOf)];
const textOf = (node: Node): string =>
  nodesOf(node)
    .flatMap(({ value }) => value ?? [])
    .join("");

/** What somebody who wants to do harm calls a release. */
const hostile = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.stringMatching(/^[|`<>@#\\[\]*_~&!()\-+:/.a-z0-9 \n]{0,40}$/),
  fc.constantFrom(
    "| <img src=x>",
    "@team",
    "`` ` ``",
    "a\n\n# b",
    "<!-- -->",
    "--> <script>",
    "#1",
    "https://a.example/b",
  ),
);

describe("text of others in a comment", () => {
  it("stays text: no mark-up, no HTML, no second block [E2]", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const types = nodesOf(parse(`- ${prose(text)}`)).map(({ type }) => type);
        expect(types.filter((type) => !["root", "list", "listItem", "paragraph", "text"].includes(type))).toEqual([]);
        expect(types.filter((type) => type === "list")).toHaveLength(1);
      }),
    );
  });

  it("reads as what was written, bars too [E2]", () => {
    expect(textOf(parse(`- ${prose("a | b, 5 < 6 & *no* stars")}`))).toBe("a | b, 5 < 6 & *no* stars");
  });

  it("pings nobody, and links neither issue nor page [E2]", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(prose(text)).not.toMatch(/@[\w-]|#\d|gh-\d|:\/\/|www\./i);
      }),
    );
    expect(prose("ask @acme/sre, see #12 and https://a.example")).toBe(
      "ask @\u200bacme/sre, see #\u200b12 and :\u200b//a.example".replace(":\u200b//", "https:\u200b//"),
    );
  });

  it("is one cell of a table as code, whatever is in it [E2]", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const root = parse(
          table([
            ["Release", "Role"],
            [code(text), prose(text)],
          ]),
        );
        const rows = nodesOf(root).filter(({ type }) => type === "tableRow");
        expect(rows.map((row) => row.children?.length)).toEqual([2, 2]);
        const [cell, said] = rows[1]?.children ?? [];
        expect(said?.children?.every(({ type }) => type === "text") ?? true).toBe(true);
        const types = [...new Set(cell?.children?.map(({ type }) => type))];
        expect(types).toEqual(text.includes("|") ? ["html", "text"] : ["inlineCode"]);
        // Markdown takes one blank off either end of code that has one at both.
        expect(
          textOf(cell ?? { type: "none" })
            .replace(/^<code>|<\/code>$/g, "")
            .trim(),
        ).toBe(oneLineOf(text).trim());
      }),
    );
  });

  it("cannot end a block of commands, and is never cut in one [E2]", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(parse(commandBlock([`run ${text} now`])).children?.map(({ type }) => type)).toEqual(["code"]);
      }),
    );
    expect(commandBlock(["x".repeat(5_000)])).toHaveLength(5_000 + "```sh\n\n```".length);
  });

  it("has no control, no mark of direction, no unknown value, and an end [E2]", () => {
    expect(oneLineOf("a\u0000b\u202ec\u200bd\r\ne")).toBe("a bcd e");
    expect(oneLineOf("arn is 04da6b54-80e4-46f7-96ec-b56ff0331ba9.")).toBe("arn is known after up.");
    expect(oneLineOf("x".repeat(2_000))).toBe(`${"x".repeat(1_200)} …`);
  });

  it("is counted in a list where there is too much of it [E2]", () => {
    expect(list(["a", "b", "c"], 2)).toBe("- a\n- b\n- … and 1 more");
  });
});

describe("a comment that has to fit", () => {
  it("leaves out whole blocks, the least important first, and says so [E2]", () => {
    const blocks = [
      { rank: 0, text: "head" },
      { rank: 2, text: "b".repeat(30) },
      { rank: 1, text: "c".repeat(30) },
      { rank: 2, text: "d".repeat(30) },
    ];
    expect(joinFitting(blocks, "cut", 200)).toBe(blocks.map(({ text }) => text).join("\n\n"));
    expect(joinFitting(blocks, "cut", 90)).toBe(["head", "b".repeat(30), "c".repeat(30), "cut"].join("\n\n"));
    expect(joinFitting(blocks, "cut", 50)).toBe(["head", "c".repeat(30), "cut"].join("\n\n"));
  });

  it("is never longer than GitHub takes [E2]", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ rank: fc.integer({ min: 1, max: 6 }), size: fc.integer({ min: 0, max: 9_000 }) })),
        (sizes) => {
          const blocks = sizes.map(({ rank, size }) => ({ rank, text: "x".repeat(size) }));
          expect(joinFitting(blocks, "cut").length).toBeLessThanOrEqual(mostCommentCharacters);
        },
      ),
    );
  });
});
