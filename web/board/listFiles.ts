import type { Plugin } from "vite";

/** What a first visit on any system needs; a browser fetches the fonts of other scripts only for texts that contain them. */
const KEPT = /\.(?:js|css)$|-latin-wght-normal-.*\.woff2$/;

/** Tells the service worker the files of the build. */
export function listFiles(): Plugin {
  return {
    name: "list-files",
    generateBundle(_, bundle) {
      const worker = bundle["sw.js"];
      if (worker?.type !== "chunk") throw new Error("the build has no service worker");
      const files = Object.keys(bundle).filter((name) => name !== worker.fileName && KEPT.test(name));
      const list = JSON.stringify(files.map((name) => `/${name}`).sort());
      worker.code = worker.code.replace(/(["'`])%FILES%\1/, JSON.stringify(list));
      if (!worker.code.includes(list.slice(2, -2).split('","')[0] ?? "")) throw new Error("the service worker does not take its files");
    },
  };
}
