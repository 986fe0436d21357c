/**
 * First import of every entry point: keeps error stacks to our own frames.
 *
 * Node 20.20 spins for 20 to 40 s when it inspects an error whose stack names some dependency frames (nodejs#64011), and
 * source-mapping those frames doubles the program's time. Our own frames are the ones a reader needs.
 */
Error.prepareStackTrace = (error, frames) => {
  const own = frames.filter((frame) => {
    const file = frame.getFileName() ?? "";
    return !file.includes("node_modules") && !file.startsWith("node:");
  });
  return `${error}${own.map((frame) => `\n    at ${frame}`).join("")}`;
};
