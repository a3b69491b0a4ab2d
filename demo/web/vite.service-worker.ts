import { defineConfig } from "vite";

/** See vite.config.ts. */
const plain = process.env.PLAIN === "1";

// Beside the bundle, as one classic script: `python -m assemble.after_site.offline` writes the list of files ahead of it and lays it at the site's root.
export default defineConfig({
  publicDir: false,
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    outDir: `../../build/web${plain ? "-plain" : ""}`,
    emptyOutDir: false,
    target: "es2022",
    modulePreload: false,
    rolldownOptions: {
      input: { "service-worker": "src/service-worker.ts" },
      output: { format: "iife", entryFileNames: "[name].js" },
    },
  },
});
