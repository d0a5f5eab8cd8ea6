// Makes what the API serves at /dba: the page as it is here, and under vendor/ the files that it needs from npm.
import { copyFileSync, cpSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { resolve } = createRequire(import.meta.url);
const page = join(import.meta.dirname, "page");
const target = join(import.meta.dirname, "..", "..", "api", "static", "console");
const VENDOR = {
  "uPlot.js": "uplot/dist/uPlot.esm.js",
  "uPlot.css": "uplot/dist/uPlot.min.css",
  "uPlot.LICENSE": "uplot/LICENSE",
  "inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  "inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
  "inter.LICENSE": "@fontsource-variable/inter/LICENSE",
};

rmSync(target, { recursive: true, force: true });
cpSync(page, target, { recursive: true, filter: (path) => !path.endsWith(".d.ts") });
mkdirSync(join(target, "vendor"), { recursive: true });
for (const [name, source] of Object.entries(VENDOR)) copyFileSync(resolve(source), join(target, "vendor", name));
