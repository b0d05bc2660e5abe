// Bundles the parts of plotly.js that the windows draw with into assets/vendor/plotly.min.js.
import { build } from "esbuild";
import { copyFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const traces = process.argv[2] ?? "scatter,bar,heatmap,pie,sankey,indicator,treemap";
const out = process.argv[3] ?? fileURLToPath(new URL("../vendor/plotly.min.js", import.meta.url));
const modules = traces.split(",").map((name) => `require("plotly.js/lib/${name}")`);

await build({
  stdin: {
    contents: `const Plotly = require("plotly.js/lib/core");
      Plotly.register([${modules.join(", ")}]);
      module.exports = Plotly;`,
    resolveDir: fileURLToPath(new URL(".", import.meta.url)),
  },
  outfile: out,
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "Plotly",
  target: "es2020",
  legalComments: "eof",
  define: { global: "window", "process.env.NODE_DEBUG": "false", "define.amd": "false" },
  alias: { stream: "stream-browserify" },
});
const licence = fileURLToPath(new URL("node_modules/plotly.js/LICENSE", import.meta.url));
await copyFile(licence, fileURLToPath(new URL("../vendor/plotly.LICENSE", import.meta.url)));
