import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { listFiles } from "./listFiles.ts";

// The page's policy forbids inline code: nothing may be inlined into index.html or turned into a data: URL.
export default defineConfig({
  plugins: [react(), tailwindcss(), listFiles()],
  resolve: { tsconfigPaths: true, dedupe: ["react", "react-dom"] },
  build: {
    outDir: "../../api/static/board", // the API serves it from there
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      input: { index: "index.html", sw: "src/worker/serviceWorker.ts" },
      output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8000", "/docs": "http://127.0.0.1:8000", "/static": "http://127.0.0.1:8000" } },
});
