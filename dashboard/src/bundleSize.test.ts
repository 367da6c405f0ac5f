// @vitest-environment node
import { gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { build, type Rolldown } from "vite";
import { expect, test } from "vitest";

/** What the card may add to a dashboard that has React already, compressed as it travels. */
const LIMIT_BYTES = 60_000;

test("the card is small", async () => {
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
  console.info(`The card with all that it brings besides React: ${total} bytes, compressed.`);
  expect(total).toBeLessThan(LIMIT_BYTES);
  // It holds what it brings: a bundle that left it out would always be small.
  expect(files.some((file) => file.type === "chunk" && file.code.includes("QueryClient"))).toBe(true);
});
