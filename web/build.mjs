/** Writes web/dist: what a function, a bucket or the local cloud serves as it is. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { minify } from "terser";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = `${here}dist`;

/**
 * Names of our own that the built files say shorter: no wire, page, browser or stored object knows them.
 * What is looked up by a string must not be here; the build stops if a source quotes one.
 */
const OURS =
  /^(?:transport|changed|timeline|http|wrapper|heard|pressed|contacted|placed|person|covers|opened|discard|wake|clean|gone|props|agentTyping|arrived|backOffMax|backOffMin|become|begin|deps|dismiss|draftKey|fetcher|handlers|hasHistory|hides|hooks|insert|kids|layer|notes|oldest|onButton|onImage|opening|outbox|pace|player|pollFast|pollSlow|prepend|problem|quiet|recall|redraw|setOutbox|shell|standing|started|synced|takesFiles|attach|erased|older|share|socket|preview|speak|syncing|timers|tray|vnode|waits)$/;

/** Classes that our own style and code alone name, as no test and no test id does: two letters each. */
const CLASSES =
  "mv-arrow|mv-audio|mv-buttons|mv-dots|mv-emoji|mv-file|mv-flush|mv-icon|mv-image|mv-inert|mv-more|mv-on|mv-pin|mv-place|mv-player|mv-unknown|mv-video|mv-wide|wc-bar|wc-below|wc-composer|wc-consent|wc-drop|wc-failed|wc-field|wc-head|wc-line|wc-main|wc-msg|wc-name|wc-new|wc-over|wc-row|wc-scroll|wc-setting|wc-sheet|wc-skeleton|wc-slow|wc-tabs|wc-title|wc-tray|wc-wait".split("|");
const shortClasses = (code) => code.replace(/(?<![\w-])[mw][vc]-[a-z-]+(?!-|\$|\w)/g, (name) => (CLASSES.includes(name) ? (CLASSES.indexOf(name) + 370).toString(36) : name));

const minifiedCss = {
  name: "css-text",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { outputFiles } = await esbuild.build({ entryPoints: [path], minify: true, write: false, target: ["chrome109", "safari16.4", "firefox115"] });
      return { contents: outputFiles[0].text.trim(), loader: "text" };
    });
  },
};

const unquoted = {
  name: "unquoted",
  setup(build) {
    build.onEnd(async ({ metafile }) => {
      for (const path of Object.keys(metafile.inputs).filter((it) => !it.startsWith("<define:"))) {
        for (const [, name] of (await readFile(path, "utf8")).matchAll(/["'`](\w+)["'`]/g)) {
          if (OURS.test(name)) throw new Error(`${path} quotes ${name}: take it out of OURS in build.mjs`);
        }
        for (const [, name] of (await readFile(path, "utf8")).matchAll(/data-testid="([\w-]+)"/g)) {
          if (CLASSES.includes(name)) throw new Error(`${path} has the test id ${name}: take it out of CLASSES in build.mjs`);
        }
      }
    });
  },
};

/** The names of words are a third of their file: what is built says their places instead. */
const numbered = {
  name: "numbered",
  setup(build) {
    const places = ["order", ...names];
    build.onLoad({ filter: /(?:widget|message-view)\/src\/\w+\.tsx?$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/\b(w|words)\.(\w+)/g, (all, of, name) => {
        const at = places.indexOf(name);
        if (at < 0) throw new Error(`${path}: ${all} is no word`);
        return `${of}[${at}]`;
      }),
      loader: extname(path).slice(1),
    }));
  },
};

async function bundle(entry, options = {}) {
  const result = await esbuild.build({
    entryPoints: [`${here}${entry}`],
    bundle: true,
    minify: true,
    charset: "utf8",
    format: "iife",
    target: ["es2022"],
    alias: Object.fromEntries(["preact", "preact/hooks", "preact/jsx-runtime"].map((name) => [name, `${here}packages/view-runtime/src/index.ts`])),
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    outdir: dist,
    write: false,
    plugins: [minifiedCss],
    ...options,
  });
  const [{ path, text }] = result.outputFiles;
  const { code } = await minify(text, { ecma: 2020, compress: { passes: 3, ecma: 2020, pure_getters: true, keep_fargs: false, sequences: false }, format: { ecma: 2020 } });
  return { path, contents: code };
}

async function put(name, contents) {
  await mkdir(`${dist}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
  await writeFile(`${dist}/${name}`, contents);
}

/** The name changes with the content: it may be cached for ever. */
async function hashed(entry, define = {}) {
  const file = await bundle(entry, { entryNames: "webchat/[name].[hash]", define, mangleProps: OURS, metafile: true, plugins: [minifiedCss, numbered, unquoted] });
  const name = `webchat/${basename(file.path)}`;
  await put(name, shortClasses(file.contents));
  return name;
}

const hash = (contents) => createHash("sha256").update(contents).digest("hex").slice(0, 8);

async function data(name, ending, contents) {
  const file = `webchat/${name}.${hash(contents)}.${ending}`;
  await put(file, contents);
  return file;
}

/** The words of one language. */
async function language(locale) {
  const { outputFiles } = await esbuild.build({ entryPoints: [`${here}widget/src/words/${locale}.ts`], bundle: true, format: "esm", charset: "utf8", write: false });
  return (await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`))[locale];
}

await rm(dist, { recursive: true, force: true });
const spoken = { ko: await language("ko"), en: await language("en") };
const names = Object.keys(spoken.ko);
const order = hash(names.join());
const words = {};
for (const [locale, said] of Object.entries(spoken)) words[locale] = await data(locale, "json", JSON.stringify([order, ...names.map((name) => said[name])]));
const emoji = await data("emoji", "txt", await readFile(`${here}widget/src/emoji.txt`));
const app = await hashed("widget/src/app.tsx", { EMOJI_FILE: JSON.stringify(emoji), WORDS_ORDER: JSON.stringify(order) });
const launcher = await hashed("widget/src/launcher.ts", { APP_FILE: JSON.stringify(app), WORDS_FILES: JSON.stringify(words) });
const loader = await bundle("widget/src/loader.ts", { define: { LAUNCHER_FILE: JSON.stringify(launcher) } });
const sdk = await bundle("sdk/src/global.ts");
await put("webchat.js", loader.contents);
await put("js/webchat.min.js", loader.contents);
await put("sdk/webchat.js", sdk.contents);
await put(
  "webchat/index.html",
  `<!doctype html><html lang="ko"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1,interactive-widget=resizes-content"><link rel="icon" href="data:,"><title>Chat</title><script src="/webchat.js" full-page></script><body></body></html>\n`,
);
