// Builds dist/: the code in as few files as possible, and the type declarations that its exports reach.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname;
const dist = join(here, "dist");
const entries = ["index", "store", "react"];

function reachable(names) {
  const found = new Set();
  const visit = (name) => {
    if (found.has(name)) return;
    found.add(name);
    const text = readFileSync(join(dist, `${name}.d.ts`), "utf8");
    for (const [, next] of text.matchAll(/(?:from|import\()\s*"\.\/([\w-]+)\.js"/g)) visit(next);
  };
  names.forEach(visit);
  return found;
}

rmSync(dist, { recursive: true, force: true });
await build({
  entryPoints: entries.map((name) => join(here, "src", `${name}.ts`)),
  outdir: dist,
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  target: "es2022",
  external: ["react"],
  logLevel: "warning",
});
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
execFileSync(process.execPath, [tsc, "-p", join(here, "tsconfig.build.json")], { stdio: "inherit" });
const needed = reachable(entries);
for (const file of readdirSync(dist)) {
  if (file.endsWith(".d.ts") && !needed.has(file.slice(0, -5))) rmSync(join(dist, file));
}
