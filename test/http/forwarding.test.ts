import { forwarded, forwardedGet, get, head, ok, scenario } from "./scenario.js";

scenario(
  "the client's address is appended to X-Forwarded-For, and X-Forwarded-Proto is replaced",
  async (s) => {
    const { server, client } = await s.one();
    client.send(get("/", "X-Forwarded-For: 192.0.2.7, 10.0.0.1", "X-Forwarded-Proto: https", "Accept: */*"));
    const web = await server.accept();
    await web.expectMessage(
      head(
        "GET / HTTP/1.1",
        "Host: site",
        "X-Forwarded-For: 192.0.2.7, 10.0.0.1",
        "Accept: */*",
        "X-Forwarded-Proto: http",
        "X-Forwarded-For: 127.0.0.1",
      ),
    );
    web.send(ok(""));
    await client.expectMessage(ok(""));
  },
);

scenario("fields of the client's hop stay behind, and so do those that Connection names", async (s) => {
  const { server, client } = await s.one();
  client.send(
    get(
      "/",
      "Connection: keep-alive, X-Hop, X-Absent",
      "Keep-Alive: timeout=5",
      "X-Hop: 1",
      "Proxy-Connection: keep-alive",
      "Proxy-Authorization: Basic Og==",
      "TE: trailers",
      "Upgrade: h2c",
      "X-End: 2",
    ),
  );
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/", "X-End: 2"));
  web.send(ok(""));
  await client.expectMessage(ok(""));
});

scenario("fields of the server's hop stay behind, and so do those that Connection names", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(
    head(
      "HTTP/1.1 200 OK",
      "Server: x",
      "Connection: X-Hop",
      "X-Hop: 1",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "Upgrade: h2c",
      "Set-Cookie: a=b",
      "Set-Cookie: c=d",
      "Content-Length: 0",
    ),
  );
  await client.expectMessage(
    head("HTTP/1.1 200 OK", "Server: x", "Set-Cookie: a=b", "Set-Cookie: c=d", "Content-Length: 0"),
  );
});

scenario("a target in absolute form reaches the server in origin form", async (s) => {
  const { server, client } = await s.one();
  client.send(head("GET http://site/a?b HTTP/1.1", "Host: site"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/a?b"));
  web.send(ok(""));
  await client.expectMessage(ok(""));
  client.send(head("GET http://site HTTP/1.1", "Host: site"));
  await web.expectMessage(forwardedGet("/"));
  web.send(ok(""));
  await client.expectMessage(ok(""));
});

scenario("OPTIONS * stays what it is", async (s) => {
  const { server, client } = await s.one();
  client.send(head("OPTIONS * HTTP/1.1", "Host: site"));
  const web = await server.accept();
  await web.expectMessage(head("OPTIONS * HTTP/1.1", "Host: site", ...forwarded));
  web.send(ok(""));
  await client.expectMessage(ok(""));
});

scenario("a method that nobody has heard of is the server's business", async (s) => {
  const { server, client } = await s.one();
  client.send(head("FROB /x HTTP/1.1", "Host: site"));
  const web = await server.accept();
  await web.expectMessage(head("FROB /x HTTP/1.1", "Host: site", ...forwarded));
  web.send(ok("frobbed"));
  await client.expectMessage(ok("frobbed"));
});

scenario("the reason phrase and unknown fields of a response pass unchanged", async (s) => {
  const { server, client } = await s.one();
  client.send(get("/"));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/"));
  web.send(`${head("HTTP/1.1 299 Caf\xe9 \t!", "x-LOWER:  spaced  ", "Content-Length: 2")}ok`);
  await client.expectMessage(
    `${head("HTTP/1.1 299 Caf\xe9 \t!", "x-LOWER:  spaced  ", "Content-Length: 2")}ok`,
  );
});
