// Puts what the page has from npm beside it, under page/vendor: the browser finds it there without a build.
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { resolve } = createRequire(import.meta.url);
const target = join(import.meta.dirname, "page", "vendor");
const FILES = {
  "uPlot.js": "uplot/dist/uPlot.esm.js",
  "uPlot.css": "uplot/dist/uPlot.min.css",
  "uPlot.d.ts": "uplot/dist/uPlot.d.ts", // for `npm run check`
  "uPlot.LICENSE": "uplot/LICENSE",
  "inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  "inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
  "inter.LICENSE": "@fontsource-variable/inter/LICENSE",
};

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
for (const [name, source] of Object.entries(FILES)) copyFileSync(resolve(source), join(target, name));
