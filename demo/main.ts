import { parseArgs } from "node:util";
import { JsonReport, TextReport } from "./report.js";
import { type Tools, tellStory } from "./story.js";

const usage = `npm run demo [-- --json]

Two balancers, two web servers and a client as network namespaces on this machine; the master is stopped, killed,
and its link cut, while the client goes on asking. Under two minutes.

  --json   one JSON line per event on standard output, and nothing else
`;

/**
 * @param missing commands that this machine does not have
 * @returns the exit code: 0, or 1 when something was not as expected
 */
export async function runDemo(parameters: readonly string[], missing: readonly string[]): Promise<number> {
  let values: { json?: boolean; help?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...parameters],
      options: { json: { type: "boolean" }, help: { type: "boolean" } },
    }));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 2;
  }
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const has = (command: string): boolean => !missing.includes(command);
  const tools: Tools = {
    nginx: has("nginx"),
    tcpdump: has("tcpdump"),
    socat: has("socat"),
    curl: has("curl"),
  };
  try {
    const results = await tellStory(values.json === true ? new JsonReport() : new TextReport(), tools);
    const failed = results.filter((result) => result.problems.length > 0);
    if (failed.length > 0)
      process.stderr.write(`\nnot as expected: ${failed.map((result) => result.event).join("; ")}\n`);
    return failed.length === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`\nthe demo broke off: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}
