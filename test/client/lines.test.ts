import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { emf } from "../../client/emf.ts";
import { Lines, maximumHeldLines, type OutputStream, streamSink } from "../../client/lines.ts";
import { aRelease, KeptLines } from "./fake-runtime.ts";

function someLines() {
  const sink = new KeptLines();
  const warnings: string[] = [];
  return { sink, warnings, lines: new Lines(sink, (_key, message) => void warnings.push(message)) };
}

describe("an output that is blocked", () => {
  it("holds lines and writes them in their order when it takes more [B3]", () => {
    const { sink, lines } = someLines();
    sink.isFull = true;
    for (const line of ["a", "b", "c"]) lines.write(line);
    expect(sink.texts).toEqual(["a"]);
    sink.drain();
    lines.write("d");
    expect(sink.texts).toEqual(["a", "b", "c", "d"]);
  });

  it("stops again while it writes what it held, as soon as that is too much [B3]", () => {
    const { sink, lines } = someLines();
    sink.isFull = true;
    for (const line of ["a", "b", "c"]) lines.write(line);
    const drain = sink.drain.bind(sink);
    drain();
    sink.isFull = true;
    for (const line of ["d", "e"]) lines.write(line);
    expect(sink.texts).toEqual(["a", "b", "c", "d"]);
  });

  it("does not fill the memory: a day of it holds 30 lines, and the gap is named once [B3]", () => {
    const { metrics, runtime, sink } = aRelease();
    sink.isFull = true;
    for (let interval = 0; interval < 8_640; interval += 1) {
      metrics.request(1, false);
      runtime.pass(10_000);
    }
    sink.drain();
    expect(sink.texts).toHaveLength(1 + maximumHeldLines);
    expect(runtime.warnings).toEqual([
      "metrics: the output takes no lines, so old ones are dropped; expected standard output to be read. CloudWatch has a gap there",
    ]);
  });

  it("gives what it holds at the end of the process [B3]", () => {
    const { sink, lines } = someLines();
    sink.isFull = true;
    for (const line of ["a\n", "b\n"]) lines.write(line);
    lines.writeNow("c\n");
    expect([sink.texts, sink.textsNow]).toEqual([["a\n"], ["b\nc\n"]]);
  });
});

describe("an output that is broken", () => {
  it("does not take the process with it, and is named [B3]", () => {
    const { metrics, runtime } = aRelease();
    const stream = new PassThrough();
    const other = aRelease({ output: emf({ stream }), runtime });
    other.metrics.request(1, false);
    stream.emit("error", new Error("EPIPE: broken pipe"));
    other.metrics.request(1, false);
    runtime.pass(10_000);
    other.metrics.close();
    metrics.close();
    expect(runtime.warnings).toEqual([
      "metrics: the output is broken, got EPIPE: broken pipe; no more lines are written. Restart the process",
    ]);
    expect(stream.listenerCount("error")).toBe(0);
  });

  it("is the same where writing throws [B3]", () => {
    const { sink, lines, warnings } = someLines();
    sink.write = () => {
      throw new Error("write after end");
    };
    sink.writeNow = sink.write;
    lines.write("a");
    lines.write("b");
    lines.writeNow("c");
    expect([warnings, lines.dropped]).toEqual([
      ["metrics: the output is broken, got write after end; no more lines are written. Restart the process"],
      1,
    ]);
  });

  it("says nothing when the last lines cannot be written: nobody is left to tell [B3]", () => {
    const { sink, lines, warnings } = someLines();
    sink.writeNow = () => {
      throw new Error("EAGAIN");
    };
    expect(() => lines.writeNow("a")).not.toThrow();
    expect(warnings).toEqual([]);
  });
});

it("writes the last lines through the stream where it has no file descriptor [B3]", () => {
  const written: string[] = [];
  const stream: OutputStream = {
    write: (text) => written.push(text) > 0,
    on() {},
    once() {},
    removeListener() {},
  };
  streamSink(stream).writeNow("a\n");
  expect(written).toEqual(["a\n"]);
});
