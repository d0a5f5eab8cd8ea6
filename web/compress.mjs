// Writes each text file of a built page compressed beside itself, as strongly as possible, for the service to send: api/compressed.py.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const TEXT = /\.(?:js|css|svg)$/;
const [folder] = process.argv.slice(2);

for (const name of await readdir(folder, { recursive: true })) {
  if (!TEXT.test(name)) continue;
  const text = await readFile(join(folder, name));
  await writeFile(join(folder, `${name}.br`), brotliCompressSync(text));
  await writeFile(join(folder, `${name}.gz`), gzipSync(text, { level: 9 }));
}
