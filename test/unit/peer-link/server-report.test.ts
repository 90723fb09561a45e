import fc from "fast-check";
import t from "tap";
import { longestFrame } from "../../../src/peer-link/frame.js";
import { encodeMessage } from "../../../src/peer-link/message.js";
import {
  encodeServerReport,
  mostReported,
  parseServerReport,
  type ReportedProxy,
  type ReportedServer,
} from "../../../src/peer-link/server-report.js";

/** Before the JSON of a message: its type and sequence; behind it: its MAC. */
const frameBytes = 1 + 8 + 32;

const words = (most: number) =>
  fc.oneof(fc.string({ maxLength: most }), fc.string({ unit: "binary", maxLength: most }));
const counts = fc.nat();
const servers: fc.Arbitrary<ReportedServer> = fc.record({
  name: words(40).map((name) => `${name}a`),
  address: words(60),
  status: words(12),
  admin: fc.constantFrom("ready", "drain", "maint"),
  isDown: fc.boolean(),
  sinceMs: counts,
  check: words(100),
  weight: fc.integer({ min: 0, max: 256 }),
  sessions: counts,
  requestsPerSecond: counts,
  errors: counts,
});
const proxies: fc.Arbitrary<ReportedProxy[]> = fc.array(
  fc.record({ name: words(40).map((name) => `${name}p`), servers: fc.array(servers, { maxLength: 12 }) }),
  { maxLength: 6 },
);

const web: ReportedServer = {
  name: "web01",
  address: "192.168.33.68:80",
  status: "UP",
  admin: "ready",
  isDown: false,
  sinceMs: 1000,
  check: "L7OK/200 in 1 ms",
  weight: 1,
  sessions: 2,
  requestsPerSecond: 3,
  errors: 0,
};

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

t.test("whatever the servers are called, the report fits into a frame and is read back", async () => {
  fc.assert(
    fc.property(proxies, (all) => {
      const text = encodeServerReport(all);
      const message = encodeMessage({ kind: "servers", report: text });
      must(message.length + frameBytes <= longestFrame, `${message.length} bytes`);
      const report = parseServerReport(text);
      if (report === null) throw new Error("it is not read back");
      const there = report.proxies.flatMap((proxy) => proxy.servers);
      const rows = all.flatMap((proxy) => proxy.servers);
      must(there.length + report.left === rows.length, "none is forgotten");
      must(there.length <= mostReported, "bounded");
      // Lone surrogates are written as escapes and read as they were.
      if (report.left === 0)
        must(
          JSON.stringify(report.proxies) ===
            JSON.stringify(
              all
                .filter(({ servers: of }) => of.length > 0)
                .map(({ name, servers: of }) => ({ name, servers: of.map(inOrder) })),
            ),
          "as they were",
        );
    }),
  );
});

/** Members in the order in which they are written. */
function inOrder(server: ReportedServer): ReportedServer {
  const { name, address, status, check, admin, isDown, sinceMs, weight, sessions } = server;
  const { requestsPerSecond, errors } = server;
  return {
    ...{ name, address, status, check, admin, isDown, sinceMs, weight, sessions },
    ...{ requestsPerSecond, errors },
  };
}

t.test(
  "64 servers fit with ordinary names; of more, those that are down are there, and how many are not",
  async (t) => {
    const many = Array.from({ length: 500 }, (_, i) => ({ ...web, name: `web${i}`, isDown: i === 400 }));
    const report = parseServerReport(encodeServerReport([{ name: "http", servers: many }]));
    const names = report?.proxies[0].servers.map(({ name }) => name) ?? [];
    t.equal(names.length, mostReported);
    t.equal(report?.left, 500 - mostReported);
    t.same(names.slice(0, 2), ["web0", "web1"], "in their order");
    t.equal(names.at(-1), "web400");
    t.same(parseServerReport(encodeServerReport([])), { proxies: [], left: 0 });
  },
);

t.test("names of the worst length and kind are cut, and so is their number", async (t) => {
  const worst = { ...web, name: '"'.repeat(500), check: "\u0001".repeat(500), address: "é".repeat(500) };
  const text = encodeServerReport([
    { name: "\\".repeat(500), servers: Array.from({ length: 64 }, () => worst) },
  ]);
  t.ok(encodeMessage({ kind: "servers", report: text }).length + frameBytes <= longestFrame);
  const report = parseServerReport(text);
  t.equal(report?.proxies[0].servers[0].name.length, 100);
  t.ok((report?.left ?? 0) > 40, `${report?.left}`);
});

t.test("what is no report is none, and what is not known of one is left out", async (t) => {
  const whole = { proxies: [{ name: "http", servers: [web] }], left: 0 };
  const later = {
    ...whole,
    later: 1,
    proxies: [{ name: "http", later: 1, servers: [{ ...web, later: 1 }] }],
  };
  t.same(parseServerReport(JSON.stringify(later)), whole);
  const bad: unknown[] = [
    null,
    [],
    {},
    { ...whole, left: -1 },
    { ...whole, left: 1e300 },
    { ...whole, proxies: [{ name: "", servers: [] }] },
    { ...whole, proxies: [{ name: "a", servers: Array.from({ length: 65 }, () => web) }] },
    {
      ...whole,
      proxies: Array.from({ length: 2 }, () => ({
        name: "a",
        servers: Array.from({ length: 33 }, () => web),
      })),
    },
    ...Object.keys(web).map((key) => ({
      left: 0,
      proxies: [{ name: "a", servers: [{ ...web, [key]: null }] }],
    })),
    { left: 0, proxies: [{ name: "a", servers: [{ ...web, weight: 257 }] }] },
    { left: 0, proxies: [{ name: "a", servers: [{ ...web, sessions: 1.5 }] }] },
    { left: 0, proxies: [{ name: "a", servers: [{ ...web, admin: "<b>" }] }] },
    { left: 0, proxies: [{ name: "a", servers: [{ ...web, check: "x".repeat(121) }] }] },
  ];
  for (const value of bad)
    t.equal(parseServerReport(JSON.stringify(value)), null, JSON.stringify(value)?.slice(0, 90));
  const good = encodeServerReport([{ name: "http", servers: [web, web] }]);
  fc.assert(
    fc.property(fc.nat({ max: good.length - 1 }), fc.string({ unit: "binary" }), (at, noise) => {
      // Either it is refused, or what comes out is within the bounds.
      const report = parseServerReport(good.slice(0, at) + noise + good.slice(at + noise.length));
      must(report === null || parseServerReport(JSON.stringify(report)) !== null, "out of its bounds");
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (noise) => must(parseServerReport(noise) === null, noise)),
  );
});
