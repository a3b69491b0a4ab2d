import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

import { defaultClientConditions, defineConfig } from "vite";

/** Whether Pyodide, NumPy and ONNX Runtime come as they are published (make site PLAIN=1). */
const plain = process.env.PLAIN === "1";

// All that the engine is made of: an engine that outlives its page must not meet the next version's page.
const sources = ["src", "../facelab", "../assemble", "../optimise", "../../export"].flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).map(({ parentPath, name }) => `${parentPath}/${name}`),
);
const hash = createHash("sha256");
for (const path of [...sources, "package-lock.json", "../../requirements.lock"].sort()) {
  if (/\.(ts|css|py|mjs|json|lock)$/.test(path)) hash.update(readFileSync(path));
}

// The site lays the result at <site>/app/BUILD/web/ (demo/assemble/after_site/build_folder.py), and its pages name facelab.js, people.js, page.js, book.js, worker.js, graphs.js, facelab.css and a font:
// those names never change, and every address inside them is relative, so that the site may live under any path.
export default defineConfig({
  define: { BUILD: JSON.stringify(hash.update(plain ? "plain" : "").digest("hex").slice(0, 16)), PLAIN: String(plain) },
  base: "./",
  publicDir: false,
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", ...defaultClientConditions] }, // its wasm lies beside the site's other files
  build: {
    outDir: `../../build/web${plain ? "-plain" : ""}`,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { facelab: "src/facelab.ts", book: "src/book.ts", people: "src/people.ts" },
      output: {
        entryFileNames: "[name].js",
        // What the pages' scripts share, which a page's head can name: asked for with them, not after them.
        codeSplitting: { groups: [{ name: "page", test: /src/, minShareCount: 2, entriesAware: false }] },
        chunkFileNames: ({ name }) => (name === "page" ? "page.js" : "[name]-[hash].js"),
        assetFileNames: ({ names }) =>
          names.some((name) => name.endsWith(".css")) ? "[name][extname]" : "fonts/[name][extname]",
      },
    },
  },
  worker: {
    format: "es",
    rolldownOptions: { output: { entryFileNames: "[name].js" } }, // the demo's page names worker.js
  },
});
