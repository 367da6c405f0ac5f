import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The page that shows the card: what `make run` serves. */
export default defineConfig({
  root: "page",
  plugins: [react()],
  build: { outDir: "dist" },
});
