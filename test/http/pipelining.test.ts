import type { Test } from "tap";
import { eventually, type Peer } from "./peer.js";
import {
  directOnly,
  forwardedGet,
  get,
  head,
  ok,
  type RunningProxy,
  type Scenario,
  type ScriptedServer,
  scenario,
} from "./scenario.js";

/** So many answers, and a few more, make a server known to be fast. */
const answersToKnow = 40;

interface Line {
  readonly server: ScriptedServer;
  readonly proxy: RunningProxy;
  /** Connected, and known to the proxy. */
  readonly clients: Peer[];
  /** The connections that the proxy keeps to the server, the one that it uses next first. */
  readonly webs: Peer[];
}

/** A server that is known to be fast, with a kept connection for each of `count` clients. */
async function known(s: Scenario, count: number): Promise<Line> {
  const server = await s.server();
  const proxy = s.proxy([server], { config: { pipelining: 8 } });
  const clients: Peer[] = [];
  const webs: Peer[] = [];
  for (let i = 0; i < count; i++) {
    const client = await proxy.client();
    client.send(get("/first"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/first"));
    clients.push(client);
    webs.push(web);
  }
  // One after the other: the connection that fell idle last is the next that is used.
  for (const [i, web] of webs.entries()) {
    web.send(ok("first"));
    await clients[i].expectMessage(ok("first"));
  }
  const next = webs[webs.length - 1];
  for (let i = count; i < answersToKnow; i++) {
    clients[0].send(get("/known"));
    await next.expectMessage(forwardedGet("/known"));
    next.send(ok("known"));
    await clients[0].expectMessage(ok("known"));
  }
  return { server, proxy, clients, webs: webs.reverse() };
}

/** Each asks for the path of its number, all within one turn. */
const askAll = (clients: readonly Peer[]): void => {
  for (const [i, client] of clients.entries()) client.send(get(`/${i}`));
};

function counted(t: Test, proxy: RunningProxy, pipelined: number, leftBehind: number): void {
  t.match(proxy.stats().servers[0], { pipelined, leftBehind, retries: leftBehind });
}

scenario(
  "requests of one turn share a connection, and each client gets its own answer",
  async (s, t) => {
    const { proxy, clients, webs } = await known(s, 3);
    askAll(clients);
    for (const i of [0, 1, 2]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    webs[0].send(ok("zero") + ok("one") + ok("two"));
    for (const [i, body] of ["zero", "one", "two"].entries()) await clients[i].expectMessage(ok(body));
    counted(t, proxy, 3, 0);
    // And the connection is used again.
    askAll(clients);
    for (const i of [0, 1, 2]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    for (const body of ["a", "b", "c"]) webs[0].send(ok(body));
    for (const [i, body] of ["a", "b", "c"].entries()) await clients[i].expectMessage(ok(body));
    counted(t, proxy, 6, 0);
  },
  directOnly,
);

scenario(
  "answers that arrive in single bytes reach their clients",
  async (s) => {
    const { clients, webs } = await known(s, 3);
    askAll(clients);
    for (const i of [0, 1, 2]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    // Quicker than anybody is allowed to wait, or those behind leave: 2 bytes at a time.
    for (const byte of ok("zero") + ok("one")) webs[0].send(byte);
    webs[0].send(ok("two"));
    for (const [i, body] of ["zero", "one", "two"].entries()) await clients[i].expectMessage(ok(body));
  },
  directOnly,
);

scenario(
  "behind an answer that does not come nobody waits",
  async (s, t) => {
    const { proxy, clients, webs } = await known(s, 2);
    askAll(clients);
    for (const i of [0, 1]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    await webs[1].expectMessage(forwardedGet("/1"));
    webs[1].send(ok("one"));
    await clients[1].expectMessage(ok("one"));
    webs[0].send(ok("zero at last") + ok("one again"));
    await clients[0].expectMessage(ok("zero at last"));
    await webs[0].expectEnd();
    counted(t, proxy, 2, 1);
    // The server is given no two at once for a while.
    askAll(clients.slice(0, 2));
    const other = await s.servers[0].accept();
    const heads = [await webs[1].receiveHead(), await other.receiveHead()];
    t.same(heads.map(({ line }) => line).sort(), ["GET /0 HTTP/1.1", "GET /1 HTTP/1.1"]);
    for (const web of [webs[1], other]) web.send(ok("alone"));
    for (const client of clients) await client.expectMessage(ok("alone"));
  },
  directOnly,
);

scenario(
  "nobody waits behind a large answer",
  async (s, t) => {
    const { proxy, clients, webs } = await known(s, 2);
    askAll(clients);
    for (const i of [0, 1]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    const large = "x".repeat(200_000);
    const whole = ok(large);
    webs[0].send(whole.slice(0, 1_000));
    await webs[1].expectMessage(forwardedGet("/1"));
    webs[1].send(ok("one"));
    await clients[1].expectMessage(ok("one"));
    webs[0].send(whole.slice(1_000));
    await clients[0].expectMessage(whole);
    await webs[0].expectEnd();
    counted(t, proxy, 2, 1);
  },
  directOnly,
);

scenario(
  "an answer without an end of its own does not run into the next",
  async (s) => {
    const { clients, webs } = await known(s, 2);
    askAll(clients);
    for (const i of [0, 1]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    webs[0].send(`${head("HTTP/1.1 200 OK", "Connection: close")}to the end`);
    await webs[1].expectMessage(forwardedGet("/1"));
    webs[1].send(ok("one"));
    await clients[1].expectMessage(ok("one"));
    webs[0].fin();
    await clients[0].expect(`${head("HTTP/1.1 200 OK", "Connection: close")}`);
    await clients[0].expect("to the end");
    await clients[0].expectEnd();
  },
  directOnly,
);

scenario(
  "a server that closes behind an answer gets the others on new connections",
  async (s, t) => {
    const { server, proxy, clients, webs } = await known(s, 3);
    askAll(clients);
    for (const i of [0, 1, 2]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    const last = `${head("HTTP/1.1 200 OK", "Content-Length: 4", "Connection: close")}zero`;
    webs[0].send(last);
    webs[0].fin();
    await clients[0].expect(`${head("HTTP/1.1 200 OK", "Content-Length: 4")}zero`);
    await webs[1].expectMessage(forwardedGet("/1"));
    await webs[2].expectMessage(forwardedGet("/2"));
    webs[1].send(ok("one"));
    webs[2].send(ok("two"));
    await clients[1].expectMessage(ok("one"));
    await clients[2].expectMessage(ok("two"));
    counted(t, proxy, 3, 2);
    t.equal(server.unexpected, 0);
  },
  directOnly,
);

scenario(
  "a server that resets its connection fails nobody",
  async (s, t) => {
    const { server, proxy, clients, webs } = await known(s, 2);
    askAll(clients);
    for (const i of [0, 1]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    webs[0].reset();
    const fresh = await server.accept();
    const heads = [await webs[1].receiveHead(), await fresh.receiveHead()];
    t.same(heads.map(({ line }) => line).sort(), ["GET /0 HTTP/1.1", "GET /1 HTTP/1.1"]);
    webs[1].send(ok("again"));
    fresh.send(ok("again"));
    for (const client of clients) await client.expectMessage(ok("again"));
    t.equal(proxy.stats().frontend.responses5xx, 0);
  },
  directOnly,
);

scenario(
  "a broken answer is its own client's",
  async (s, t) => {
    const { proxy, clients, webs } = await known(s, 2);
    askAll(clients);
    for (const i of [0, 1]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    webs[0].send("HTTP/1.1 nonsense\r\n\r\n");
    await clients[0].receiveHead();
    await webs[1].expectMessage(forwardedGet("/1"));
    webs[1].send(ok("one"));
    await clients[1].expectMessage(ok("one"));
    t.match(proxy.stats().frontend, { responses5xx: 1 });
  },
  directOnly,
);

scenario(
  "a client that leaves takes nobody's answer along",
  async (s) => {
    const { proxy, clients, webs } = await known(s, 3);
    askAll(clients);
    for (const i of [0, 1, 2]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    // The one in the middle: its answer must not go to the next.
    clients[1].reset();
    await eventually(
      () => proxy.instance.clients.size === 2,
      () => "the proxy has not seen the client go",
    );
    webs[0].send(ok("zero"));
    await clients[0].expectMessage(ok("zero"));
    await webs[1].expectMessage(forwardedGet("/2"));
    webs[1].send(ok("two"));
    await clients[2].expectMessage(ok("two"));
    await webs[0].expectEnd();
  },
  directOnly,
);

scenario(
  "the one in front leaves, and those behind are asked again",
  async (s) => {
    const { clients, webs } = await known(s, 2);
    askAll(clients);
    for (const i of [0, 1]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    clients[0].reset();
    await webs[1].expectMessage(forwardedGet("/1"));
    webs[1].send(ok("one"));
    await clients[1].expectMessage(ok("one"));
    await webs[0].expectReset();
  },
  directOnly,
);

scenario(
  "only GET and HEAD share, and an upgrade does not",
  async (s, t) => {
    const { server, proxy, clients, webs } = await known(s, 2);
    clients[0].send(`${head("POST /post HTTP/1.1", "Host: site", "Content-Length: 4")}body`);
    clients[1].send(head("GET /up HTTP/1.1", "Host: site", "Connection: Upgrade", "Upgrade: websocket"));
    const lines = [(await webs[0].receiveHead()).line, (await webs[1].receiveHead()).line];
    t.same(lines.sort(), ["GET /up HTTP/1.1", "POST /post HTTP/1.1"]);
    t.match(proxy.stats().servers[0], { pipelined: 0 });
    t.equal(server.unexpected, 0);
  },
  directOnly,
);

scenario(
  "HEAD and GET in a row: an answer without a body is one",
  async (s) => {
    const { clients, webs } = await known(s, 3);
    clients[0].send(head("HEAD /0 HTTP/1.1", "Host: site"));
    clients[1].send(get("/1"));
    clients[2].send(get("/2"));
    await webs[0].receiveHead();
    for (const i of [1, 2]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    webs[0].send(
      head("HTTP/1.1 200 OK", "Content-Length: 700") + head("HTTP/1.1 304 Not Modified") + ok("two"),
    );
    await clients[0].expectMessage(head("HTTP/1.1 200 OK", "Content-Length: 700"));
    await clients[1].expectMessage(head("HTTP/1.1 304 Not Modified"));
    await clients[2].expectMessage(ok("two"));
  },
  directOnly,
);

scenario(
  "a slow client makes nobody wait",
  async (s) => {
    const { clients, webs } = await known(s, 2);
    clients[0].stopReading();
    askAll(clients);
    for (const i of [0, 1]) await webs[0].expectMessage(forwardedGet(`/${i}`));
    // Chunked, and in pieces below what counts as large.
    webs[0].send(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"));
    const piece = `4000\r\n${"x".repeat(16_384)}\r\n`;
    const flood = setInterval(() => webs[0].send(piece), 1);
    s.atEnd(() => clearInterval(flood));
    await webs[1].expectMessage(forwardedGet("/1"));
    webs[1].send(ok("one"));
    await clients[1].expectMessage(ok("one"));
    clearInterval(flood);
  },
  directOnly,
);
