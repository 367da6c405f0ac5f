import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Builds the demo page that `make run` serves. */
export default defineConfig({
  root: "page",
  plugins: [react()],
  build: { outDir: "dist" },
});
