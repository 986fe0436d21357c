/**
 * Lines to a stream that may not take them: a blocked standard output must neither hold up a request nor fill the memory, and a broken one
 * must not take the process with it. What cannot be written is dropped, oldest first, and said to be.
 */
import { writeSync } from "node:fs";

/** What lines need of a Node stream; `process.stdout` is one. */
export interface OutputStream {
  write(text: string): boolean;
  on(event: "error", act: (error: Error) => void): unknown;
  once(event: "drain", act: () => void): unknown;
  removeListener(event: "error", act: (error: Error) => void): unknown;
  /** Texts that the stream holds. Unit: bytes. */
  readonly writableLength?: number;
  /** File descriptor, which the last lines of a process are written to. */
  readonly fd?: number;
}

/** Where lines go. */
export interface LineSink {
  /** @returns whether it takes more; if not, `onDrain` says when it does */
  write(text: string): boolean;
  onDrain(act: () => void): void;
  /** Writes before it returns. @throws what the system says when it cannot */
  writeNow(text: string): void;
  onError(act: (error: Error) => void): () => void;
}

/** A stream as a sink. */
export function streamSink(stream: OutputStream): LineSink {
  return {
    write: (text) => stream.write(text),
    onDrain: (act) => void stream.once("drain", act),
    writeNow(text) {
      if (stream.fd === undefined) {
        stream.write(text);
        return;
      }
      // The stream may have written half a line of its own; ours begins on a new one.
      let rest = Buffer.from((stream.writableLength ?? 0) > 0 ? `\n${text}` : text);
      while (rest.length > 0) rest = rest.subarray(writeSync(stream.fd, rest));
    },
    onError(act) {
      stream.on("error", act);
      return () => void stream.removeListener("error", act);
    },
  };
}

/** Lines held while nobody takes them: five minutes of them, a few kilobytes each. Older ones are past every alarm's look. */
export const maximumHeldLines = 30;

export class Lines {
  readonly #sink: LineSink;
  readonly #warnOnce: (key: string, message: string) => void;
  readonly #forgetError: () => void;
  #held: string[] = [];
  #isBlocked = false;
  #isBroken = false;
  /** Lines that nobody took. */
  dropped = 0;

  constructor(sink: LineSink, warnOnce: (key: string, message: string) => void) {
    this.#sink = sink;
    this.#warnOnce = warnOnce;
    this.#forgetError = sink.onError((error) => this.#break(error));
  }

  write(line: string): void {
    if (this.#isBroken) this.dropped += 1;
    else if (this.#isBlocked) this.#hold(line);
    else this.#pass(line);
  }

  /** What is held, and one more, at once. */
  writeNow(line = ""): void {
    const text = this.#held.join("") + line;
    this.#held = [];
    if (text === "" || this.#isBroken) return;
    try {
      this.#sink.writeNow(text);
    } catch {
      // The process ends, and its output takes nothing (EAGAIN, EPIPE): nobody is left to tell.
    }
  }

  close(): void {
    this.#forgetError();
    this.#isBroken = true;
    this.#held = [];
  }

  #hold(line: string): void {
    this.#held.push(line);
    if (this.#held.length <= maximumHeldLines) return;
    this.#held.shift();
    this.dropped += 1;
    this.#warnOnce(
      "blocked",
      "metrics: the output takes no lines, so old ones are dropped; expected standard output to be read. CloudWatch has a gap there",
    );
  }

  #pass(line: string): void {
    try {
      if (this.#sink.write(line)) return;
    } catch (error) {
      this.#break(error);
      return;
    }
    this.#isBlocked = true;
    this.#sink.onDrain(() => this.#drained());
  }

  #drained(): void {
    this.#isBlocked = false;
    while (!this.#isBlocked && !this.#isBroken) {
      const next = this.#held.shift();
      if (next === undefined) return;
      this.#pass(next);
    }
  }

  #break(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#held = [];
    const what = error instanceof Error ? error.message : String(error);
    this.#warnOnce(
      "broken",
      `metrics: the output is broken, got ${what}; no more lines are written. Restart the process`,
    );
  }
}
