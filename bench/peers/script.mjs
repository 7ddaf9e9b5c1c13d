// Runs scripts as one would without a sandbox: a line {script, context} in, a line with the result out.
import { createInterface } from 'node:readline';
import vm from 'node:vm';

for await (const line of createInterface({ input: process.stdin })) {
  const { script, context } = JSON.parse(line);
  const module = { exports: {} };
  vm.runInNewContext(`(function (module, exports) {${script}\n})`)(module, module.exports);
  const result = await new Promise((resolve, reject) => {
    module.exports(context, (error, value) => (error ? reject(error) : resolve(value)));
  });
  console.log(JSON.stringify({ result }));
}
