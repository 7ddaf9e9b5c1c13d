/** A reporter of node:test: one JSON object a line for each check, which pytest reads; what files say goes to stderr. */
export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type === "test:stderr") process.stderr.write(data.message);
    if ((type !== "test:pass" && type !== "test:fail") || data.nesting > 0) continue;
    const { error, duration_ms: ms } = data.details;
    const said = error?.cause?.stack ?? error?.cause ?? error?.message ?? "";
    yield `${JSON.stringify({ name: data.name, passed: type === "test:pass", seconds: ms / 1000, error: String(said) })}\n`;
  }
}
