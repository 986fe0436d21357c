import { defineConfig } from "vitest/config";

/** The AWS adapters, and the real engine where it is on PATH, against emulators on loopback; run by `test/aws/run.sh`, which starts them and sets the endpoints. */
export default defineConfig({
  test: {
    include: ["test/aws/**/*.test.ts", "test/engine/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
