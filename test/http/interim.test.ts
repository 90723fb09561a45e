import { forwarded, forwardedGet, get, head, lastOk, ok, scenario } from "./scenario.js";

const expecting = (...fields: string[]) =>
  head("POST /up HTTP/1.1", "Host: site", "Expect: 100-continue", ...fields);
const forwardedExpecting = (...fields: string[]) =>
  head("POST /up HTTP/1.1", "Host: site", "Expect: 100-continue", ...forwarded, ...fields);
const hints = head("HTTP/1.1 103 Early Hints", "Link: </style.css>; rel=preload");
const goOn = head("HTTP/1.1 100 Continue");

scenario("interim responses reach the client before the final one", async (s, t) => {
  const { server, proxy, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(hints);
  await client.expectMessage(hints);
  web.send(hints + hints + ok("done"));
  for (const message of [hints, hints, ok("done")]) await client.expectMessage(message);
  t.equal(proxy.stats().backend.responses1xx, 3);
});

scenario("an HTTP/1.0 client does not see interim responses", async (s) => {
  const { server, client } = await s.one();
  client.send(head("GET / HTTP/1.0", "Host: site"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  await web.sendSlowly([hints, goOn + ok("done")], 20);
  await client.expectMessage(lastOk("done"));
  await client.expectFin();
});

scenario("a client that expects 100 Continue gets it from the server and then sends its body", async (s) => {
  const { server, client } = await s.one();
  client.send(expecting("Content-Length: 4"));
  const web = await server.accept();
  await web.expectMessage(forwardedExpecting("Content-Length: 4"));
  web.send(goOn);
  await client.expectMessage(goOn);
  client.send("body");
  await web.expect("body");
  web.send(ok("thanks"));
  await client.expectMessage(ok("thanks"));
});

scenario(
  "a body that comes in a packet of its own goes over a pooled connection as over a new one",
  async (s) => {
    const { server, client } = await s.one();
    client.send(get("/"));
    const web = await server.accept();
    await web.expectMessage(forwardedGet("/"));
    web.send(ok("first"));
    await client.expectMessage(ok("first"));

    client.send(expecting("Content-Length: 4"));
    await web.expectMessage(forwardedExpecting("Content-Length: 4"));
    web.send(goOn);
    await client.expectMessage(goOn);
    client.send("body");
    await web.expect("body");
    web.send(ok("second"));
    await client.expectMessage(ok("second"));

    client.send(`${head("PUT /up HTTP/1.1", "Host: site", "Content-Length: 8")}body`);
    await web.expectMessage(head("PUT /up HTTP/1.1", "Host: site", "Content-Length: 8", ...forwarded));
    await web.expect("body");
    client.send("more");
    await web.expect("more");
    web.send(ok("third"));
    await client.expectMessage(ok("third"));
  },
);

scenario("a server that refuses what 100 Continue asked for is heard at once", async (s) => {
  const { server, client } = await s.one();
  client.send(expecting("Content-Length: 4"));
  const web = await server.accept();
  await web.expectMessage(forwardedExpecting("Content-Length: 4"));
  web.send(head("HTTP/1.1 417 Expectation Failed", "Content-Length: 0"));
  // The client may send its body or not, so nobody can tell where its next request would begin.
  await client.expectMessage(
    head("HTTP/1.1 417 Expectation Failed", "Content-Length: 0", "Connection: close"),
  );
  await client.expectFin();
  await web.expectEnd();
});

scenario("a body that follows a 100 Continue slowly is not held against the server", async (s) => {
  const { server, client } = await s.one({ timeouts: { serverMs: 200 } });
  client.send(expecting("Content-Length: 8"));
  const web = await server.accept();
  await web.expectMessage(forwardedExpecting("Content-Length: 8"));
  web.send(goOn);
  await client.expectMessage(goOn);
  await client.sendSlowly("bodybody", 60);
  await web.expect("bodybody");
  web.send(ok("thanks"));
  await client.expectMessage(ok("thanks"));
});

scenario("a server that sends interim responses shows that it is at work", async (s) => {
  const { server, client } = await s.one({ timeouts: { serverMs: 1_000 } });
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  for (let i = 0; i < 4; i++) {
    await client.expectSilence(400);
    web.send(hints);
    await client.expectMessage(hints);
  }
  web.send(ok("done"));
  await client.expectMessage(ok("done"));
});

scenario("an expectation that nobody knows is refused with 417", async (s, t) => {
  const { client } = await s.one();
  client.send(`${head("POST / HTTP/1.1", "Host: site", "Content-Length: 4", "Expect: tea")}body`);
  t.match((await client.receiveHead()).line, /^HTTP\/1\.1 417 /);
});

// —— answers before the request is whole ——

scenario(
  "a server that answers before the body has come closes the client's connection after its answer",
  async (s) => {
    const { server, client } = await s.one();
    client.send(head("POST /up HTTP/1.1", "Host: site", "Content-Length: 1000000"), "part");
    const web = await server.accept();
    await web.expectMessage(head("POST /up HTTP/1.1", "Host: site", ...forwarded, "Content-Length: 1000000"));
    await web.expect("part");
    web.send(head("HTTP/1.1 413 Content Too Large", "Content-Length: 0", "Connection: close"));
    web.fin();
    await client.expectMessage(
      head("HTTP/1.1 413 Content Too Large", "Content-Length: 0", "Connection: close"),
    );
    await client.expectFin();
    await web.expectEnd();
  },
);

scenario("a client that goes on sending behind an early answer still gets to read it", async (s) => {
  const { server, client } = await s.one();
  const body = Buffer.alloc(8_000_000, "x");
  client.send(head("POST /up HTTP/1.1", "Host: site", `Content-Length: ${body.length}`));
  const web = await server.accept();
  await web.expectMessage(
    head("POST /up HTTP/1.1", "Host: site", ...forwarded, `Content-Length: ${body.length}`),
  );
  web.stopReading();
  client.send(body);
  const answer = head("HTTP/1.1 413 Content Too Large", "Content-Length: 0", "Connection: close");
  setTimeout(() => web.send(answer), 50);
  await client.expectMessage(answer);
  await client.expectFin();
  web.readOn();
  await web.expectEnd();
});

scenario("a client that reads the early answer only after its whole body still gets it", async (s) => {
  const { server, client } = await s.one();
  client.send(head("POST /up HTTP/1.1", "Host: site", "Content-Length: 1000000"));
  const web = await server.accept();
  await web.receiveHead();
  const answer = head("HTTP/1.1 413 Content Too Large", "Content-Length: 0", "Connection: close");
  client.stopReading();
  web.send(answer);
  web.fin();
  // For longer than a connection that the proxy has ended may be silent.
  for (let i = 0; i < 12; i++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    client.send("more");
  }
  client.readOn();
  await client.expectMessage(answer);
  await client.expectFin();
});

scenario("the early answer of a server that then resets under the upload is not lost", async (s) => {
  const { server, proxy } = await s.one();
  const answer = head("HTTP/1.1 413 Content Too Large", "Content-Length: 0", "Connection: close");
  server.serve(async (web) => {
    await web.receiveHead();
    web.send(answer);
    web.reset();
  });
  const part = Buffer.alloc(200_000, "x");
  for (let round = 0; round < 30; round++) {
    const client = await proxy.client();
    client.send(head("POST /up HTTP/1.1", "Host: site", "Content-Length: 100000000"));
    let answered = false;
    const upload = (async () => {
      while (!answered && client.isOpen) {
        client.send(part);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await client.expectMessage(answer);
    answered = true;
    await upload;
    client.reset();
  }
});

scenario("a server may begin its answer early and read on", async (s) => {
  const { server, client } = await s.one();
  client.send(head("POST /echo HTTP/1.1", "Host: site", "Content-Length: 12"));
  const web = await server.accept();
  await web.expectMessage(head("POST /echo HTTP/1.1", "Host: site", ...forwarded, "Content-Length: 12"));
  web.send(head("HTTP/1.1 200 OK", "Content-Length: 12"));
  await client.expectMessage(head("HTTP/1.1 200 OK", "Content-Length: 12", "Connection: close"));
  for (const word of ["ping", "pong", "peng"]) {
    client.send(word);
    await web.expect(word);
    web.send(word);
    await client.expect(word);
  }
  await client.expectFin();
});
