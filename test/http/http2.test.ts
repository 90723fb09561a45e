import { createHash, randomBytes } from "node:crypto";
import type { ProxyConfig } from "../../src/config/config.js";
import type { InquiryPart } from "../../src/process/inquiry.js";
import { Inquired } from "../../src/proxy/inquired.js";
import type { InvalidMessages } from "../../src/proxy/invalid-messages.js";
import { encodeProxyHeader } from "../../src/proxy/proxy-protocol/encode.js";
import { answerOf, Http2Peer } from "./http2-peer.js";
import { delay, eventually, type Peer } from "./peer.js";
import { head, ok, type ProxyOptions, portableOnly, type Scenario, scenario } from "./scenario.js";
import { freshCertificate, tlsClient } from "./tls-peer.js";

const site = freshCertificate("site");

/** A proxy that offers HTTP/2 to its clients. */
function offering(options: ProxyOptions = {}): ProxyOptions {
  const tls = { crt: ["/certs"], alpn: ["h2", "http/1.1"] };
  return {
    ...options,
    config: { listen: [{ address: "127.0.0.1", port: 0, tls }], ...options.config },
    tls: {
      certificates: { byPath: new Map([["/certs", [site]]]), authorities: new Map() },
      ticketKeys: randomBytes(48),
    },
  };
}

const overHttp2 = (name: string, script: Parameters<typeof scenario>[1]): void =>
  scenario(name, script, portableOnly);

async function one(s: Scenario, options: ProxyOptions = {}) {
  const server = await s.server();
  const proxy = s.proxy([server], offering(options));
  return { server, proxy, client: await Http2Peer.connect(proxy) };
}

/** What a server gets, for clients of this machine. */
const asked = (line: string, ...fields: string[]): string =>
  head(line, "host: site", ...fields, "X-Forwarded-Proto: https", "X-Forwarded-For: 127.0.0.1");

const log: ProxyConfig["log"] = {
  targets: [{ kind: "stdout" }],
  format: "httplog",
  facility: "local0",
  dontLogNull: false,
  dontLogNormal: false,
};

/** A server that answers each request, whose body has a length or is in chunks, with `answer(path, body)`. */
function answering(
  server: { serve: (handler: (peer: Peer) => Promise<void>) => void },
  answer: (path: string, body: Buffer) => string | Uint8Array,
): void {
  server.serve(async (peer) => {
    while (!peer.isClosed) {
      const request = await peer.receiveHead().catch(() => null);
      if (request === null) return;
      let body: Buffer = Buffer.alloc(0);
      const length = request.field("content-length");
      if (length !== undefined) body = await peer.receive(Number(length));
      else if (request.field("transfer-encoding") !== undefined) body = await readChunks(peer);
      peer.send(answer(request.line.split(" ")[1], body));
    }
  });
}

async function readChunks(peer: Peer): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (;;) {
    const size = Number.parseInt(await line(peer), 16);
    if (size === 0) break;
    parts.push(await peer.receive(size));
    await peer.receive(2);
  }
  await line(peer);
  return Buffer.concat(parts);
}

async function line(peer: Peer): Promise<string> {
  let text = "";
  while (!text.endsWith("\r\n")) text += (await peer.receive(1)).toString("latin1");
  return text.slice(0, -2);
}

overHttp2(
  "requests and answers: pseudo-header fields, cookies in crumbs, nothing of a connection",
  async (s, t) => {
    const { server, proxy, client } = await one(s, { config: { log } });
    const answer = client.ask({ ":path": "/a?b", cookie: ["a=1", "b=2"], te: "trailers", "x-own": "y" });
    const web = await server.accept();
    await web.expectMessage(asked("GET /a?b HTTP/1.1", "x-own: y", "cookie: a=1; b=2"));
    web.send(
      `${head("HTTP/1.1 200 Fine", "Content-Length: 5", "Keep-Alive: 5", "Connection: X-Hop", "X-Hop: 1", "Set-Cookie: a", "Set-Cookie: b")}hello`,
    );
    t.match(await answer, {
      status: 200,
      body: Buffer.from("hello"),
      reset: null,
      fields: { "content-length": "5", "set-cookie": ["a", "b"] },
    });
    const { fields } = await answer;
    for (const name of ["connection", "keep-alive", "x-hop", "date", "transfer-encoding"])
      t.equal(fields[name], undefined, name);
    await eventually(
      () => proxy.lines.length === 1,
      () => "no log line",
    );
    t.match(
      proxy.lines[0],
      / http~ http\/web01 .* 200 \d+ - - ---- 1\/1\/0\/0\/0 0\/0 "GET https:\/\/site\/a\?b HTTP\/2\.0"$/,
    );
    t.match(proxy.stats().frontend, {
      connectionsTotal: 1,
      sessionsTotal: 1,
      requestsTotal: 1,
      requestErrors: 0,
    });
  },
);

overHttp2(
  "many streams of one connection are one session, and share connections to servers",
  async (s, t) => {
    const { server, proxy, client } = await one(s);
    answering(server, (path) => ok(path));
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => client.get(`/${round}-${i}`)));
      t.same(
        answers.map(({ status, body }) => `${status} ${body}`),
        answers.map((_, i) => `200 /${round}-${i}`),
      );
    }
    t.match(proxy.stats().frontend, {
      sessionsTotal: 1,
      sessionsMax: 1,
      requestsTotal: 120,
      responses2xx: 120,
    });
    t.ok(server.peers.length <= 40, "connections to servers are used again");
  },
);

overHttp2("the client chooses by ALPN: HTTP/1.1 is served beside", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], offering());
  answering(server, (path) => ok(path));
  const old = await tlsClient(proxy, { ALPNProtocols: ["http/1.1"] });
  t.equal(old.tls.alpnProtocol, "http/1.1");
  old.send(head("GET /1 HTTP/1.1", "Host: site"));
  await old.expectMessage(ok("/1"));
  const none = await tlsClient(proxy);
  none.send(head("GET /2 HTTP/1.1", "Host: site"));
  await none.expectMessage(ok("/2"));
  const both = await Http2Peer.connect(proxy);
  t.equal((await both.get("/3")).body.toString(), "/3");
});

overHttp2("bodies of several MiB on many streams at once arrive as they were, both ways", async (s, t) => {
  const { server, client } = await one(s);
  const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  const answers = new Map<string, Buffer>();
  answering(server, (path, body) => {
    const answer = Buffer.concat([Buffer.from(digest(body)), answers.get(path) ?? Buffer.alloc(0)]);
    return Buffer.concat([Buffer.from(head("HTTP/1.1 200 OK", `Content-Length: ${answer.length}`)), answer]);
  });
  const streams = Array.from({ length: 12 }, (_, i) => `/${i}`);
  for (const path of streams) answers.set(path, randomBytes(2_000_000));
  await Promise.all(
    streams.map(async (path, i) => {
      const body = randomBytes(1_500_000);
      const length = i % 2 === 0 ? { "content-length": String(body.length) } : {};
      const answer = await client.ask({ ":method": "POST", ":path": path, ...length }, body);
      t.equal(answer.reset, null);
      t.equal(answer.body.subarray(0, 64).toString(), digest(body), "uploaded");
      t.equal(digest(answer.body.subarray(64)), digest(answers.get(path) ?? Buffer.alloc(0)), "downloaded");
    }),
  );
});

overHttp2(
  "a client that does not read one stream holds its server back, and no other stream",
  async (s, t) => {
    const { server, proxy, client } = await one(s);
    const answer = Buffer.alloc(48_000_000, "0123456789");
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    const stream = client.open({ ":path": "/large" });
    const response = new Promise((resolve) => stream.once("response", resolve));
    const web = await server.accept();
    await web.receiveHead();
    web.send(head("HTTP/1.1 200 OK", `Content-Length: ${answer.length}`));
    const sent = web.sendLarge(answer);
    await response;
    await delay(500);
    t.ok(web.socket.writableLength > 0, "the server waits");
    const held = process.memoryUsage().arrayBuffers + process.memoryUsage().external - before - answer.length;
    t.ok(held < 20_000_000, `the proxy does not hold the bytes: ${held}`);
    const other = client.get("/small");
    const second = await server.accept();
    await second.receiveHead();
    second.send(ok("small"));
    t.equal((await other).body.toString(), "small");
    const whole = await answerOf(stream);
    t.equal(whole.body.length, answer.length);
    t.ok(whole.body.equals(answer));
    await sent;
    t.equal(proxy.stats().frontend.clientAborts, 0);
  },
);

overHttp2("a server that does not read holds its client back, and the window stays shut", async (s, t) => {
  const { server, client } = await one(s);
  const stream = client.open({ ":method": "POST", ":path": "/" }, false);
  const web = await server.accept();
  await web.receiveHead();
  web.stopReading();
  const body = Buffer.alloc(24_000_000, "x");
  stream.write(body);
  stream.end();
  await delay(500);
  t.ok(stream.writableLength > 10_000_000, "the client waits");
  const other = client.get("/other");
  const second = await server.accept();
  await second.receiveHead();
  second.send(ok("meanwhile"));
  t.match(await other, { status: 200, body: Buffer.from("meanwhile"), reset: null });
  web.readOn();
  const received = await readChunks(web);
  t.equal(received.length, body.length);
  const answer = answerOf(stream);
  web.send(ok("thanks"));
  t.equal((await answer).body.toString(), "thanks");
});

overHttp2("interim responses and Expect: 100-continue pass", async (s, t) => {
  const { server, client } = await one(s);
  const stream = client.open(
    { ":method": "PUT", ":path": "/", expect: "100-continue", "content-length": "4" },
    false,
  );
  const answer = answerOf(stream);
  const web = await server.accept();
  await web.expectMessage(asked("PUT / HTTP/1.1", "expect: 100-continue", "content-length: 4"));
  const continued = new Promise((resolve) => stream.once("continue", resolve));
  web.send(head("HTTP/1.1 100 Continue"));
  await continued;
  stream.end("body");
  await web.expect("body");
  web.send(head("HTTP/1.1 103 Early Hints", "Link: x"), ok("done"));
  t.match(await answer, { status: 200, body: Buffer.from("done"), interim: [100, 103] });
});

overHttp2("trailers pass both ways", async (s, t) => {
  const { server, client } = await one(s);
  const stream = client.session.request(
    { ":authority": "site", ":scheme": "https", ":method": "POST", ":path": "/" },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "1", "content-length": "3" }));
  const answer = answerOf(stream);
  stream.end("abc");
  const web = await server.accept();
  await web.expectMessage(
    asked("POST / HTTP/1.1").replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n"),
  );
  await web.expect("3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n");
  web.send(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), "2\r\nhi\r\n", "0\r\nX-End: yes\r\n\r\n");
  t.match(await answer, { status: 200, body: Buffer.from("hi"), trailers: { "x-end": "yes" }, reset: null });
});

overHttp2("answers without a body: HEAD, 204, 304", async (s, t) => {
  const { server, client } = await one(s);
  const answers: Record<string, string> = {
    "/head": head("HTTP/1.1 200 OK", "Content-Length: 7"),
    "/204": head("HTTP/1.1 204 No Content", "X: y"),
    "/304": head("HTTP/1.1 304 Not Modified", "Content-Length: 7"),
    "/empty": head("HTTP/1.1 200 OK", "Content-Length: 0"),
    "/chunks": `${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}0\r\n\r\n`,
  };
  answering(server, (path) => answers[path]);
  t.match(await client.ask({ ":method": "HEAD", ":path": "/head" }), {
    status: 200,
    fields: { "content-length": "7" },
    reset: null,
  });
  t.match(await client.get("/204"), { status: 204, fields: { x: "y" }, reset: null });
  t.match(await client.get("/304"), { status: 304, fields: { "content-length": "7" }, reset: null });
  t.match(await client.get("/empty"), { status: 200, reset: null });
  t.match(await client.get("/chunks"), { status: 200, reset: null, trailers: null });
});

overHttp2(
  "a response up to the server's end is whole; one that is cut does not look so, whatever it was",
  async (s, t) => {
    const { server, proxy, client } = await one(s);
    const heads: readonly [string, string][] = [
      [head("HTTP/1.1 200 OK"), "part"],
      [head("HTTP/1.1 200 OK", "Content-Length: 10"), "part"],
      [head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), "4\r\npart\r\n"],
    ];
    for (const [i, [text, body]] of [heads[0], ...heads].entries()) {
      const stream = client.open({ ":path": "/" });
      const answer = answerOf(stream);
      const web = await server.accept();
      await web.receiveHead();
      const data = new Promise((resolve) => stream.once("data", resolve));
      web.send(text, body);
      await data;
      if (i === 0) web.fin();
      else web.reset();
      t.match(await answer, {
        status: 200,
        body: Buffer.from("part"),
        reset: i === 0 ? null : "INTERNAL_ERROR",
      });
    }
    t.match(proxy.stats().servers[0], { serverAborts: 3 });
    t.equal(client.isClosed, false, "the connection goes on");
  },
);

overHttp2("a client that gives one stream up takes its server's time no longer", async (s, t) => {
  const { server, proxy, client } = await one(s);
  const stream = client.open({ ":path": "/" });
  const web = await server.accept();
  await web.receiveHead();
  stream.close(8);
  await web.expectEnd();
  const upload = client.open({ ":method": "POST", ":path": "/" }, false);
  upload.write("half");
  const second = await server.accept();
  await second.receiveHead();
  await second.expect("4\r\nhalf\r\n");
  // Its `close` would end the request first.
  upload.destroy(new Error("given up"));
  await second.expectEnd();
  t.equal(proxy.stats().frontend.clientAborts, 2);
  t.match(proxy.failures, [{ termination: "CH--" }, { termination: "CD--" }]);
  const other = client.get("/");
  const third = await server.accept();
  await third.receiveHead();
  third.send(ok("on"));
  t.equal((await other).body.toString(), "on");
});

overHttp2("a client that leaves in the middle of all leaves nothing behind", async (s, t) => {
  const { server, proxy, client } = await one(s);
  const streams = Array.from({ length: 5 }, () => client.open({ ":method": "POST", ":path": "/" }, false));
  for (const stream of streams) stream.write("half");
  const webs = await Promise.all(streams.map(() => server.accept()));
  for (const web of webs) await web.receiveHead();
  client.reset();
  for (const web of webs) await web.expectEnd();
  t.equal(proxy.stats().frontend.clientAborts, 5);
});

overHttp2("a server that answers early: the client hears it, and may stop sending", async (s, t) => {
  const { server, client } = await one(s);
  const stream = client.open({ ":method": "POST", ":path": "/" }, false);
  const answer = answerOf(stream);
  stream.write("some");
  const web = await server.accept();
  await web.receiveHead();
  web.send(`${head("HTTP/1.1 413 Too Large", "Content-Length: 2", "Connection: close")}no`);
  web.fin();
  t.match(await answer, { status: 413, body: Buffer.from("no") });
  t.equal(stream.rstCode, 0);
});

overHttp2("what is malformed is reset; what HTTP/1.1 refuses is refused in the same words", async (s, t) => {
  const { server, proxy, client } = await one(s);
  t.match(await client.get("/", { host: "other" }), { status: 0, reset: "PROTOCOL_ERROR" });
  t.match(await client.get("/", { "x-long": "x".repeat(20_000) }), { status: 431, reset: null });
  const connect = client.session.request({ ":method": "CONNECT", ":authority": "site:443" });
  connect.on("error", () => {});
  t.match(await answerOf(connect), { status: 405 });
  answering(server, (path) => ok(path));
  t.match(await client.get("/next"), { status: 200 });
  t.match(proxy.stats().frontend, { responses4xx: 2 });
});

overHttp2("no server: an error page; a rule's answers; each on its own stream", async (s, t) => {
  const rules: ProxyConfig["rules"] = [
    {
      when: { paths: ["/deny"] },
      unless: null,
      action: { kind: "deny", status: 403 },
    },
  ];
  const proxy = s.proxy([await s.refusing()], offering({ config: { rules } }));
  const client = await Http2Peer.connect(proxy);
  const answers = await Promise.all([
    client.get("/"),
    client.get("/deny"),
    client.ask({ ":method": "HEAD", ":path": "/" }),
  ]);
  t.same(
    answers.map(({ status }) => status),
    [503, 403, 503],
  );
  t.match(answers[0].body.toString(), /<h1>503 Service Unavailable<\/h1>/);
  t.equal(answers[2].body.length, 0);
});

overHttp2(
  "whose connection it is a PROXY header says, and one tells a server so for each stream",
  async (s, t) => {
    const server = await s.server();
    const tls = { crt: ["/certs"], alpn: ["h2"] };
    const listen = [{ address: "127.0.0.1", port: 0, tls, acceptProxy: true as const }];
    const servers = [{ name: "web01", host: "127.0.0.1", port: server.port, sendProxy: 1 as const }];
    const proxy = s.proxy([server], offering({ config: { listen, servers, log } }));
    const ends = {
      source: { address: "192.0.2.7", port: 4711 },
      destination: { address: "198.51.100.1", port: 443 },
    };
    const client = await Http2Peer.connect(proxy, encodeProxyHeader(2, ends));
    for (const path of ["/1", "/2"]) {
      const answer = client.get(path);
      const web = await server.accept();
      await web.expect("PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n");
      const request = await web.receiveHead();
      t.equal(request.field("x-forwarded-for"), "192.0.2.7");
      web.send(ok(path));
      t.equal((await answer).body.toString(), path);
    }
    await eventually(
      () => proxy.lines.length === 2,
      () => "no log lines",
    );
    for (const line of proxy.lines) t.match(line, /^192\.0\.2\.7:4711 /);
  },
);

overHttp2("show sess tells of each stream, and an operator ends one of them", async (s, t) => {
  const { server, proxy, client } = await one(s);
  const told: InquiryPart[] = [];
  const inquired = new Inquired({
    proxies: [proxy.instance],
    invalid: { list: () => [] } as unknown as InvalidMessages,
    threadId: 1,
    now: () => proxy.instance.engine.now(),
    date: String,
    tell: (_id, part) => told.push(part),
  });
  inquired.take(1, { about: "sessions", id: null, atLength: false });
  t.match(told, [{ kind: "lines", text: "" }], "a connection that rests has no stream");
  const streams = ["/1", "/2"].map((path) => answerOf(client.open({ ":path": path })));
  const webs = await Promise.all(streams.map(() => server.accept()));
  for (const web of webs) await web.receiveHead();
  inquired.take(2, { about: "sessions", id: null, atLength: false });
  const text = told.at(-1)?.kind === "lines" ? (told.at(-1) as { text: string }).text : "";
  t.equal(text.trim().split("\n").length, 2);
  inquired.take(3, { about: "cut-session", id: Number.parseInt(text, 16) });
  const ended = await Promise.race(streams);
  t.equal(ended.status, 502);
  for (const web of webs) if (web.isOpen) web.send(ok("on"));
  t.same((await Promise.all(streams)).map(({ status }) => status).sort(), [200, 502]);
});

overHttp2("an error file that is no HTTP, or empty, ends its own stream alone", async (s, t) => {
  const server = await s.server();
  const dead = await s.refusing();
  const page = { statusLine: "HTTP/1.1 503 x", fields: ["Bad Name: y"], body: "" };
  for (const errorFile of [page, null].map((one) => ({ status: 503, path: "/503.http", page: one }))) {
    const backends = [{ name: "dead", servers: [dead], errorFiles: [errorFile] }];
    const rules: ProxyConfig["rules"] = [
      { when: { paths: ["/dead"] }, unless: null, action: { kind: "use-backend", backend: "dead" } },
    ];
    const servers = [{ name: "dead", host: "127.0.0.1", port: dead.port }];
    const proxy = s.proxy([server], offering({ backends: [{ ...backends[0], servers }], config: { rules } }));
    const client = await Http2Peer.connect(proxy);
    t.match(await client.get("/dead"), { status: 0, reset: "INTERNAL_ERROR" });
    answering(server, (path) => ok(path));
    t.match(await client.get("/on"), { status: 200, reset: null });
  }
});

overHttp2("who does not go away when told to is cut", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy([server], offering());
  const stubborn = await tlsClient(proxy, { ALPNProtocols: ["h2"] });
  stubborn.send(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0));
  await stubborn.receive(9);
  stubborn.tcp.pause();
  proxy.instance.drain();
  await eventually(
    () => proxy.instance.clients.size === 0,
    () => "it is kept",
    10_000,
  );
  t.pass("it is gone");
});

overHttp2("time-outs: of the first request, of rest, of a body, of a server", async (s, t) => {
  const server = await s.server();
  const proxy = s.proxy(
    [server],
    offering({ timeouts: { requestHeadMs: 300, keepAliveMs: 300, clientMs: 300, serverMs: 300 } }),
  );
  const silent = await Http2Peer.connect(proxy);
  await eventually(
    () => silent.isClosed,
    () => "a client that asks nothing is kept",
  );
  t.match(silent.goaways, [{ code: 0 }]);
  const client = await Http2Peer.connect(proxy);
  const upload = client.open({ ":method": "POST", ":path": "/" }, false);
  const late = answerOf(upload);
  upload.write("half");
  const web = await server.accept();
  await web.receiveHead();
  t.match(await late, { status: 408 });
  const slow = client.get("/");
  await (await server.accept()).receiveHead();
  t.match(await slow, { status: 504 });
  t.equal(client.isClosed, false);
  await eventually(
    () => client.isClosed,
    () => "a client that rests is kept",
  );
  t.match(client.goaways, [{ code: 0 }]);
});

overHttp2("a client that takes nothing of an answer is given up after its time", async (s, t) => {
  const { server, proxy, client } = await one(s, { timeouts: { clientMs: 300 } });
  const stream = client.open({ ":path": "/" });
  const web = await server.accept();
  await web.receiveHead();
  web.send(head("HTTP/1.1 200 OK", "Content-Length: 4000000"));
  void web.sendLarge(Buffer.alloc(4_000_000)).catch(() => {});
  const closed = new Promise((resolve) => stream.once("close", resolve));
  await new Promise((resolve) => stream.once("response", resolve));
  await closed;
  t.equal(stream.rstCode, 2);
  t.match(proxy.failures, [{ termination: "cD--" }]);
});

overHttp2("hand-over: GOAWAY first, what is on its way is served, and then the end", async (s, t) => {
  const { server, proxy, client } = await one(s);
  answering(server, (path) => ok(path));
  const slow = client.open({ ":method": "POST", ":path": "/slow" }, false);
  await eventually(
    () => server.peers.length === 1,
    () => "the request does not come",
  );
  proxy.instance.handOver();
  await eventually(
    () => client.goaways.length > 0,
    () => "no GOAWAY",
  );
  t.same(client.goaways[0], { code: 0, lastStream: 2 ** 31 - 1 });
  const answer = answerOf(slow);
  slow.end("whole");
  t.match(await answer, { status: 200, body: Buffer.from("/slow") });
  await eventually(
    () => client.isClosed,
    () => "the connection is kept",
  );
  t.same(client.goaways.at(-1), { code: 0, lastStream: 1 });
});

overHttp2("a drain ends what rests at once and what is busy with its last stream", async (s, t) => {
  const { server, proxy, client } = await one(s);
  const resting = await Http2Peer.connect(proxy);
  const busy = client.get("/");
  const web = await server.accept();
  await web.receiveHead();
  proxy.instance.drain();
  await eventually(
    () => resting.isClosed,
    () => "who rests is kept",
  );
  await eventually(
    () => client.goaways.length > 0,
    () => "no GOAWAY",
  );
  web.send(ok("last"));
  t.match(await busy, { status: 200, body: Buffer.from("last") });
  await eventually(
    () => client.isClosed,
    () => "who was busy is kept",
  );
});

overHttp2("limits: so many streams at once, and no flood of resets, PING or SETTINGS", async (s, t) => {
  const { server, proxy, client } = await one(s);
  t.equal(client.session.remoteSettings.maxConcurrentStreams, 100);
  server.serve(async () => {});
  await client.session.ping(Buffer.alloc(8), () => {});
  const flood = await tlsClient(proxy, { ALPNProtocols: ["h2"] });
  flood.send(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0));
  // HPACK: GET, https, /, :authority site.
  const block = Buffer.from([0x82, 0x87, 0x84, 0x01, 4, ...Buffer.from("site")]);
  flood.socket.on("error", () => {});
  for (let id = 1; id < 8_000 && !flood.isClosed; id += 2) {
    flood.send(Buffer.concat([frame(1, 5, id, block), frame(3, 0, id, Buffer.from([0, 0, 0, 8]))]));
    if (id % 400 === 1) await delay(5);
  }
  await eventually(
    () => flood.isClosed || !flood.isOpen,
    () => "rapid resets are borne for ever",
  );
  t.ok(proxy.stats().frontend.requestsTotal < 2_500, `${proxy.stats().frontend.requestsTotal} requests`);

  const acknowledged = await tlsClient(proxy, { ALPNProtocols: ["h2"] });
  acknowledged.stopReading();
  acknowledged.send(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0));
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(6, 0, 0, Buffer.alloc(8))));
  acknowledged.socket.on("error", () => {});
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 400 && acknowledged.isOpen; i++) {
    acknowledged.send(pings);
    await delay(1);
  }
  t.ok(process.memoryUsage().rss - before < 100_000_000, "a flood of PING costs no memory");
});

overHttp2(
  "a client that breaks a rule hears which, loses its streams and is gone; others go on",
  async (s, t) => {
    const { server, proxy, client } = await one(s);
    const rude = await tlsClient(proxy, { ALPNProtocols: ["h2"] });
    const block = Buffer.from([0x82, 0x87, 0x84, 0x01, 4, ...Buffer.from("site")]);
    rude.send(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0), frame(1, 5, 1, block));
    const web = await server.accept();
    await web.receiveHead();
    rude.send(frame(8, 0, 0, Buffer.alloc(4)));
    await web.expectEnd();
    // SETTINGS with two values, the acknowledgement, GOAWAY with the last stream and PROTOCOL_ERROR.
    const said = await rude.receive(21 + 9 + 17);
    t.equal(said.subarray(30).toString("hex"), "0000080700000000000000000100000001");
    await rude.expectEnd();
    t.equal(proxy.stats().frontend.clientAborts, 1);
    const other = client.get("/");
    const second = await server.accept();
    await second.receiveHead();
    second.send(ok("on"));
    t.equal((await other).body.toString(), "on");
  },
);

overHttp2("a hundred streams at once, one more is refused, and one that ends makes room", async (s, t) => {
  const { server, proxy } = await one(s);
  const eager = await tlsClient(proxy, { ALPNProtocols: ["h2"] });
  const block = Buffer.from([0x82, 0x87, 0x84, 0x01, 4, ...Buffer.from("site")]);
  const asking = Array.from({ length: 101 }, (_, i) => frame(1, 5, 2 * i + 1, block));
  eager.send(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0), ...asking);
  const said = await eager.receive(21 + 9 + 13);
  t.equal(said.subarray(30).toString("hex"), "0000040300000000c900000007");
  const webs = await Promise.all(Array.from({ length: 100 }, () => server.accept()));
  for (const web of webs) await web.receiveHead();
  webs[0].send(ok("x"));
  await eager.receive(9);
  eager.send(frame(1, 5, 203, block));
  t.ok(await webs[0].receiveHead(), "over the connection that has become free");
});

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}
