// Handlebars itself on the templates of bench/templates.py, which come as JSON in the argument.
import { require, serve } from "./worker.mjs";

await serve(async () => {
  const Handlebars = require("handlebars");
  const { hello, large, context, greeting } = JSON.parse(process.argv[2]);
  const compile = (source) => Handlebars.compile(source, { noEscape: true });
  const helloTemplate = compile(hello);
  const largeTemplate = compile(large);
  if (helloTemplate(context) !== greeting) {
    throw new Error("it renders something else");
  }
  let sink = 0;
  const repeat = (render) => (count) => {
    for (let turn = 0; turn < count; turn += 1) {
      sink += render().length;
    }
  };
  return {
    hello: repeat(() => helloTemplate(context)),
    large: repeat(() => largeTemplate(context)),
    cold: repeat(() => compile(large)(context)),
  };
});
