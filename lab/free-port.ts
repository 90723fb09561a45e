import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below 32768, from where Linux gives ports to whoever asks for any: no connection and no other server takes one before it is
 * bound, or while what listens there is away for a moment.
 */
const [first, end] = [10_000, 32_000];
const given = new Set<number>();

/** Ports of 127.0.0.1 that nobody has at the moment, all different, and none twice from this process. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(first, end);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

/** A port of 127.0.0.1 that nobody has at the moment. */
export async function freePort(): Promise<number> {
  return (await freePorts(1))[0];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
