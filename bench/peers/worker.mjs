// The worker's side of bench/measure.py in JavaScript: lines of JSON, {operation, count} in, {seconds} out.
// CPU time of the main thread alone, so that V8's own threads are not held against the peer.
import { createRequire } from "node:module";
import process from "node:process";
import readline from "node:readline";

export const require = createRequire(new URL("../../tests/peers/package.json", import.meta.url));

const cpuUsage = () => (process.threadCpuUsage ?? process.cpuUsage)();

function seconds(from, to) {
  return (to.user - from.user + to.system - from.system) / 1e6;
}

/** Load the subject's operations (each run as `await operation(count)`) and serve until the input ends. */
export async function serve(load) {
  const say = (words) => process.stdout.write(`${JSON.stringify(words)}\n`);
  let operations;
  try {
    operations = await load();
  } catch (error) {
    say({ error: String(error.message).split("\n")[0] });
    return;
  }
  say({ ready: process.pid });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { operation, count } = JSON.parse(line);
    if (!(operation in operations)) {
      say({ error: `there is no operation ${operation}` });
      continue;
    }
    const started = cpuUsage();
    await operations[operation](count);
    say({ seconds: seconds(started, cpuUsage()) });
  }
}
