import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import manifest from "./package.json" with { type: "json" };

/** Builds the npm package. React and the dependencies stay external: the host application installs them. */
export default defineConfig({
  plugins: [react()],
  build: {
    lib: { entry: "src/index.ts", formats: ["es"], fileName: "index", cssFileName: "style" },
    rolldownOptions: {
      external: [
        /^react(-dom)?(\/|$)/,
        ...Object.keys(manifest.dependencies).map((name) => new RegExp(`^${name}(/|$)`)),
      ],
    },
    sourcemap: true,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    css: { modules: { classNameStrategy: "non-scoped" } },
  },
});
