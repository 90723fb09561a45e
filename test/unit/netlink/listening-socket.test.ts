import { once } from "node:events";
import { fstatSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { Worker } from "node:worker_threads";
import t from "tap";
import {
  closeDescriptor,
  duplicateDescriptor,
  openListeningSocket,
} from "../../../src/netlink/listening-socket.js";

const hasIpv6 = networkInterfaces().lo?.some(({ address }) => address === "::1") ?? false;
const withoutIpv6 = hasIpv6 ? false : "this machine has no IPv6 loopback address";

/** A server of this thread on a duplicate of the descriptor. */
async function adopt(fd: number): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.end("served")).listen({
    fd: duplicateDescriptor(fd),
    backlog: 4096,
  });
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

async function ask(host: string, port: number): Promise<string> {
  const socket = connect(port, host).setEncoding("utf8");
  let answer = "";
  for await (const part of socket) answer += part;
  return answer;
}

/** A data thread in small: accepts one connection, answers with its name, and closes its own descriptor. */
const ACCEPT_ONE = `
  const { parentPort, workerData } = require("node:worker_threads");
  const server = require("node:net").createServer((socket) => {
    socket.end(workerData.name);
    server.close();
  });
  server.on("close", () => parentPort.postMessage("closed"));
  server.listen({ fd: workerData.fd, backlog: 4096 }, () => parentPort.postMessage("listening"));
`;

t.test(
  "two threads accept on duplicates of one socket, and one that closes leaves the other open",
  async (t) => {
    const fd = openListeningSocket({ address: "127.0.0.1", port: 0 });
    const probe = await adopt(fd);
    const port = probe.port;
    probe.server.close();

    const closed: Promise<unknown>[] = [];
    for (const name of ["one", "two"]) {
      const worker = new Worker(ACCEPT_ONE, {
        eval: true,
        workerData: { name, fd: duplicateDescriptor(fd) },
      });
      t.teardown(() => worker.terminate());
      await once(worker, "message");
      closed.push(once(worker, "message"));
    }
    const first = await ask("127.0.0.1", port);
    await Promise.race(closed);
    const second = await ask("127.0.0.1", port);
    t.same([first, second].sort(), ["one", "two"]);
    closeDescriptor(fd);
  },
);

t.test("a socket listens on an address that the machine does not hold", async (t) => {
  closeDescriptor(openListeningSocket({ address: "192.0.2.84", port: 0 }));
  t.pass("192.0.2.84, RFC 5737");
});

t.test("so does an IPv6 one", { skip: withoutIpv6 }, async (t) => {
  closeDescriptor(openListeningSocket({ address: "2001:db8::84", port: 0 }));
  t.pass("2001:db8::84, RFC 3849");
});

t.test(
  "every IPv4 address and every IPv6 address share a port as two sockets",
  { skip: withoutIpv6 },
  async (t) => {
    const ipv4 = openListeningSocket({ address: "0.0.0.0", port: 0 });
    const { server, port } = await adopt(ipv4);
    const ipv6 = openListeningSocket({ address: "::", port });
    const other = await adopt(ipv6);
    t.equal(other.port, port);
    t.equal(await ask("127.0.0.1", port), "served");
    t.equal(await ask("::1", port), "served");
    for (const open of [server, other.server]) open.close();
    for (const fd of [ipv4, ipv6]) closeDescriptor(fd);
  },
);

t.test("a taken port is told with its address, and with the command that finds its owner", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  for (const address of ["127.0.0.1", "0.0.0.0"]) {
    t.throws(() => openListeningSocket({ address, port }), {
      code: "LB_LISTEN_IN_USE",
      message: `cannot listen on ${address}:${port}: another process does`,
      advice: new RegExp(`ss -ltnp 'sport = :${port}'`),
    });
  }
  server.close();
});

t.test("a port whose connections have just ended is free for a new listener", async (t) => {
  const first = openListeningSocket({ address: "127.0.0.1", port: 0 });
  const { server, port } = await adopt(first);
  // The server ends first, so TIME_WAIT stays on its side.
  t.equal(await ask("127.0.0.1", port), "served");
  server.close();
  closeDescriptor(first);
  closeDescriptor(openListeningSocket({ address: "127.0.0.1", port }));
});

t.test("what is no address literal is refused with what to give instead", async (t) => {
  t.throws(() => openListeningSocket({ address: "localhost", port: 80 }), {
    code: "LB_LISTEN",
    advice: /IPv4 or IPv6 literal/,
  });
});

t.test("a failed attempt leaks no descriptor", async (t) => {
  const taken = openListeningSocket({ address: "127.0.0.1", port: 0 });
  const { server, port } = await adopt(taken);
  const next = duplicateDescriptor(taken);
  closeDescriptor(next);
  for (let i = 0; i < 5; i++) t.throws(() => openListeningSocket({ address: "127.0.0.1", port }));
  const after = duplicateDescriptor(taken);
  t.equal(after, next, "the lowest free number is still the same");
  server.close();
  for (const fd of [taken, after]) closeDescriptor(fd);
  t.throws(() => fstatSync(after), { code: "EBADF" });
});

t.test("a descriptor that is not open is an error with its number", async (t) => {
  t.throws(() => duplicateDescriptor(99_999), { code: "LB_DESCRIPTOR", message: /99999: EBADF/ });
  t.throws(() => closeDescriptor(99_999), { code: "LB_DESCRIPTOR", message: /99999: EBADF/ });
});
