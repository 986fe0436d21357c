import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/aws/**", "test/engine/**", "node_modules/**"],
    setupFiles: ["test/setup.ts"],
    // Pulumi keeps its mock monitor per process; files must not share one.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 5_000,
  },
});
