// @vitest-environment node
import { gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { build, type Rolldown } from "vite";
import { expect, test } from "vitest";

/** Gzipped size that the card may add to a page that already has React. */
const LIMIT_BYTES = 60_000;

test("the bundle stays under the limit", async () => {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [react()],
    build: {
      write: false,
      minify: true,
      lib: { entry: "src/index.ts", formats: ["es"] },
      rolldownOptions: { external: /^react(-dom)?(\/|$)/ },
    },
  });
  const files = (built as Rolldown.RolldownOutput[]).flatMap(({ output }) => output);
  const bytes = files.map((file) => gzipSync(file.type === "chunk" ? file.code : file.source).length);
  const total = bytes.reduce((sum, size) => sum + size, 0);
  console.info(`Card and dependencies, without React: ${total} bytes gzipped`);
  expect(total).toBeLessThan(LIMIT_BYTES);
  // Proves that the dependencies are bundled: without them, any size would pass.
  expect(files.some((file) => file.type === "chunk" && file.code.includes("QueryClient"))).toBe(true);
});
