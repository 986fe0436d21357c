import { defineConfig } from "vitest/config";

/** The AWS adapters against emulators on loopback; run by `test/aws/run.sh`, which starts them and sets the endpoints. */
export default defineConfig({
  test: {
    include: ["test/aws/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
