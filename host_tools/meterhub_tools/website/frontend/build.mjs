// Bundles the page's script and style into ../static/dist, which is served and never committed.
import { build } from "esbuild";

await build({
  entryPoints: ["page.js", "style.css"],
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome110", "firefox110", "safari16"],
  outdir: "../static/dist",
  legalComments: "linked",
  logLevel: "warning",
});
