import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: { include: ["{packages,widget,sdk}/**/*.test.{ts,tsx}"], testTimeout: 30_000 },
});
