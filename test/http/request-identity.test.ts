import { eventually } from "./peer.js";
import { forwardedGet, get, head, ok, scenario } from "./scenario.js";
import { stdoutLog } from "./sections.js";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const traceparent = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;
const log = stdoutLog("json");

scenario("a request without id and trace gets both, and its log line has the id", async (s, t) => {
  const { server, client, proxy } = await s.one({
    config: { uniqueIdHeader: "X-Request-ID", traceparent: true, log },
  });
  const seen: (string | undefined)[] = [];
  client.send(get("/1"), get("/2"));
  const web = await server.accept();
  for (const path of ["/1", "/2"]) {
    const request = await web.receiveHead();
    t.equal(request.line, `GET ${path} HTTP/1.1`);
    t.match(request.field("x-request-id"), uuid);
    t.match(request.field("traceparent"), traceparent);
    seen.push(request.field("x-request-id"), request.field("traceparent"));
    web.send(ok("x"));
    await client.expectMessage(ok("x"));
  }
  t.equal(new Set(seen).size, 4, "each has its own");
  await eventually(
    () => proxy.lines.length === 2,
    () => "not both are told of",
  );
  t.same(
    proxy.lines.map((line) => JSON.parse(line).requestId),
    [seen[0], seen[2]],
  );
});

scenario("valid ones pass, with their state; broken and doubled ones are replaced", async (s, t) => {
  const { server, client } = await s.one({ config: { uniqueIdHeader: "X-Request-ID", traceparent: true } });
  const valid = [
    "x-request-id: abc-1",
    "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    "tracestate: a=b",
  ];
  client.send(get("/", ...valid));
  const web = await server.accept();
  await web.expectMessage(forwardedGet("/", ...valid));
  web.send(ok("x"));
  await client.expectMessage(ok("x"));
  const broken = ["00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-00", "ff-1-2-3", "00-4BF9-1-00"];
  for (const value of broken) {
    client.send(
      head(
        "GET / HTTP/1.1",
        "Host: site",
        `traceparent: ${value}`,
        "tracestate: a=b",
        "X-Request-ID: one",
        "X-Request-ID: two",
      ),
    );
    const request = await web.receiveHead();
    t.match(request.field("traceparent"), traceparent);
    t.equal(request.field("tracestate"), undefined);
    t.match(request.field("x-request-id"), uuid);
    t.equal(request.fields.filter((field) => /^x-request-id/i.test(field)).length, 1);
    web.send(ok("x"));
    await client.expectMessage(ok("x"));
  }
});
