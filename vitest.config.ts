import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/aws/**", "test/engine/**", "node_modules/**"],
    setupFiles: ["test/setup.ts"],
    // Pulumi keeps its mock monitor per process; files must not share one.
    pool: "forks",
    maxWorkers: 2,
    // A rehearsal of days takes seconds, and more on a machine that does other things, too.
    testTimeout: 20_000,
  },
});
