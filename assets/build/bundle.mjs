// Bundles the part of plotly.js that the windows draw with into assets/vendor/plotly.min.js.
import { build } from "esbuild";
import { copyFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const vendor = (name) => fileURLToPath(new URL(`../vendor/${name}`, import.meta.url));

await build({
  stdin: {
    contents: 'module.exports = require("plotly.js/lib/core");', // axes, and lines over them
    resolveDir: fileURLToPath(new URL(".", import.meta.url)),
  },
  outfile: vendor("plotly.min.js"),
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "Plotly",
  target: "es2020",
  legalComments: "eof",
  loader: { ".css": "empty" }, // that of maps, which are not in it
  define: { global: "window", "process.env.NODE_DEBUG": "false", "define.amd": "false" },
});
await copyFile(fileURLToPath(new URL("node_modules/plotly.js/LICENSE", import.meta.url)), vendor("plotly.LICENSE"));
