import { parseAddressRange } from "../../src/config/address-range.js";
import type { ConnectionRule } from "../../src/config/connection-rule-section.js";
import { eventually } from "./peer.js";
import { forwardedGet, get, ok, scenario } from "./scenario.js";

const ranges = (text: string) => [parseAddressRange(text)].flatMap((range) => range ?? []);
const rule = (action: ConnectionRule["action"], change: Partial<ConnectionRule> = {}): ConnectionRule => ({
  when: null,
  unless: null,
  action,
  ...change,
});

scenario("reject: such a client is cut off, whatever it says", async (s, t) => {
  const connectionRules = [rule({ kind: "reject" }, { when: ranges("127.0.0.0/8") })];
  const proxy = s.proxy([await s.server()], { config: { connectionRules } });
  const client = proxy.connect();
  await client.expectReset();
  await eventually(
    () => proxy.stats().frontend.connectionsDenied === 1,
    () => "it is not counted",
  );
  t.match(proxy.stats().frontend, { connectionsTotal: 1, sessionsTotal: 0, sessionsCurrent: 0 });
});

scenario("max_connections: one too many is cut off, and comes in when another has gone", async (s, t) => {
  const server = await s.server();
  const connectionRules = [rule({ kind: "max-connections", count: 2, keys: 100 })];
  const proxy = s.proxy([server], { config: { connectionRules } });
  const [first, second] = [await proxy.client(), await proxy.client()];
  await eventually(
    () => proxy.instance.clients.size === 2,
    () => "two are not there",
  );
  await proxy.connect().expectReset();
  t.match(proxy.stats().frontend, { connectionsDenied: 1, sessionsTotal: 2 });
  first.reset();
  await eventually(
    () => proxy.instance.clients.size === 1,
    () => "the first is still there",
  );
  const third = await proxy.client();
  for (const client of [second, third]) {
    client.send(get("/"));
    const web = client === second ? await server.accept() : server.peers[0];
    await web.expectMessage(forwardedGet("/"));
    web.send(ok("x"));
    await client.expectMessage(ok("x"));
  }
});

scenario("mode tcp has them too, and a session that finds no server gives its place back", async (s, t) => {
  const connectionRules = [rule({ kind: "max-connections", count: 1, keys: 100 })];
  const proxy = s.proxy([], { config: { mode: "tcp", connectionRules, servers: [] } });
  for (let i = 0; i < 3; i++) await proxy.connect().expectEnd();
  await eventually(
    () => proxy.stats().frontend.sessionsTotal === 3,
    () => "not all of them came in",
  );
  t.equal(proxy.stats().frontend.connectionsDenied, 0);
});

scenario("rate_limit: so many new ones in a period; those from elsewhere are not asked", async (s, t) => {
  const limit = { kind: "rate-limit", connections: 2, periodMs: 60_000, keys: 100 } as const;
  const limited = s.proxy([await s.server()], { config: { connectionRules: [rule(limit)] } });
  await limited.client();
  await limited.client();
  await limited.connect().expectReset();
  t.equal(limited.stats().frontend.connectionsDenied, 1);
  const unless = ranges("127.0.0.1");
  const open = s.proxy([await s.server()], { config: { connectionRules: [rule(limit, { unless })] } });
  for (let i = 0; i < 4; i++) await open.client();
  await eventually(
    () => open.instance.clients.size === 4,
    () => "not all of them came in",
  );
});

scenario("behind a PROXY header it is the client's own address that counts", async (s, t) => {
  const connectionRules = [rule({ kind: "max-connections", count: 1, keys: 100 })];
  const listen = [{ address: "127.0.0.1", port: 0, acceptProxy: true as const }];
  const proxy = s.proxy([await s.server()], { config: { listen, connectionRules } });
  const from = async (address: string) => {
    const client = await proxy.client();
    client.send(`PROXY TCP4 ${address} 192.0.2.1 1000 80\r\n`);
    return client;
  };
  const first = await from("198.51.100.1");
  await eventually(
    () => proxy.stats().frontend.sessionsTotal === 1,
    () => "the first is not served",
  );
  await (await from("198.51.100.1")).expectReset();
  await from("198.51.100.2");
  await eventually(
    () => proxy.stats().frontend.sessionsTotal === 2,
    () => "the other is not served",
  );
  t.match(proxy.stats().frontend, { connectionsDenied: 1, connectionsTotal: 3 });
  first.reset();
  await eventually(
    () => proxy.instance.clients.size === 1,
    () => "the first is still there",
  );
  await from("198.51.100.1");
  await eventually(
    () => proxy.stats().frontend.sessionsTotal === 3,
    () => "its place was not given back",
  );
});
