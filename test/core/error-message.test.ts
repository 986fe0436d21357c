import { expect, it } from "vitest";
import { messageOf, oneLine } from "../../core/error-message.ts";

it("tells an error by its message, and anything else that was thrown as text", () => {
  expect([new TypeError("two\nlines"), "a text", 7, undefined].map(messageOf)).toEqual([
    "two\nlines",
    "a text",
    "7",
    "undefined",
  ]);
});

it("puts the message on one line", () => {
  expect(oneLine(new Error("  two\n\tlines \n"))).toBe("two lines");
});
