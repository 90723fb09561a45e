import type { Client } from "./reference/client.js";
import { get, ok, post } from "./reference/origin.js";
import type { ProxySpec } from "./reference/proxy-spec.js";
import { theme } from "./reference/theme.js";

const servers = {
  a: { haproxy: "cookie s1", tandem: { cookie: "s1" } },
  b: { haproxy: "cookie s2", tandem: { cookie: "s2" } },
};
const sticky = (line: string, words: Readonly<Record<string, unknown>>): ProxySpec => ({
  servers,
  haproxy: [`cookie SRV ${line}`],
  tandem: { cookie: { name: "SRV", ...words } },
});

const own = { reply: ({ server }: { server: string }) => [ok(server)] };

/** Asks, and notes the cookie that came with the answer. */
async function ask(client: Client, request: string): Promise<void> {
  const { fields } = await client.ask(request);
  client.note(fields.filter((field) => /^(set-cookie|cache-control):/.test(field)).join("; ") || "no cookie");
}

theme(
  "stickiness by a cookie",
  {
    proxies: {
      insert: sticky("insert", {}),
      indirect: sticky("insert indirect nocache", { indirect: true, nocache: true }),
      posted: sticky("insert indirect postonly", { indirect: true, postonly: true }),
      marked: sticky("insert indirect httponly secure domain .example.org", {
        indirect: true,
        httponly: true,
        secure: true,
        domain: ".example.org",
      }),
      kept: sticky("insert indirect preserve", { indirect: true, preserve: true }),
    },
  },
  [
    {
      name: "a client without a cookie gets one",
      proxy: "insert",
      servers: own,
      client: async (client) => {
        await ask(client, get("/1"));
        await ask(client, get("/2"));
      },
      sees: ['200 "a"', "set-cookie: SRV=s1; path=/", '200 "b"', "set-cookie: SRV=s2; path=/"],
      log: ["200 --NI", "200 --NI"],
    },
    {
      name: "a client with a cookie goes to its server",
      proxy: "insert",
      servers: own,
      client: async (client) => {
        for (let i = 0; i < 3; i++) await ask(client, get(`/${i}`, "Cookie: x=1; SRV=s2; y=2"));
      },
      sees: ["1", "2", "3"].flatMap(() => ['200 "b"', "no cookie"]),
      log: ["200 --VN", "200 --VN", "200 --VN"],
    },
    {
      name: "a cookie that no server has is replaced",
      proxy: "indirect",
      servers: own,
      client: async (client) => {
        await ask(client, get("/", "Cookie: SRV=nobody"));
      },
      sees: ['200 "a"', "set-cookie: SRV=s1; path=/"],
      log: ["200 --II"],
    },
    {
      name: "indirect keeps the cookie from the server",
      proxy: "indirect",
      servers: own,
      client: async (client) => {
        await ask(client, get("/1", "Cookie: SRV=s1"));
        await ask(client, get("/2", "Cookie: x=1; SRV=s1; y=2"));
        await ask(client, get("/3", "Cookie: SRV=s1; y=2"));
      },
      sees: ["1", "2", "3"].flatMap(() => ['200 "a"', "no cookie"]),
      log: ["200 --VN", "200 --VN", "200 --VN"],
    },
    {
      name: "postonly gives it with the answer to a POST",
      proxy: "posted",
      servers: own,
      client: async (client) => {
        await ask(client, get("/1"));
        await ask(client, post("/2", "x"));
      },
      sees: ['200 "a"', "no cookie", '200 "b"', "set-cookie: SRV=s2; path=/"],
      log: ["200 --NN", "200 --NI"],
    },
    {
      name: "attributes are those of the configuration",
      proxy: "marked",
      servers: own,
      client: async (client) => {
        await ask(client, get("/1"));
      },
      sees: ['200 "a"', "set-cookie: SRV=s1; path=/; domain=.example.org; HttpOnly; Secure"],
      log: ["200 --NI"],
    },
    {
      name: "preserve lets a server's own cookie pass",
      proxy: "kept",
      servers: { reply: () => [ok("x", "Set-Cookie: SRV=own")] },
      client: async (client) => {
        await ask(client, get("/1"));
      },
      sees: ['200 "x"', "set-cookie: SRV=own"],
      log: ["200 --NP"],
    },
    {
      name: "a cookie of a server in maintenance leads to another one",
      proxy: "indirect",
      servers: own,
      client: async (client, world) => {
        await client.quietly("disable server indirect/b");
        await world.untilCell("b", "status", "MAINT");
        await ask(client, get("/", "Cookie: SRV=s2"));
        await client.quietly("enable server indirect/b");
        await world.untilCell("b", "status", "no check");
      },
      sees: ['200 "a"', "set-cookie: SRV=s1; path=/"],
      log: ["200 --DI"],
    },
    {
      name: "a draining server keeps those who have its cookie",
      proxy: "indirect",
      servers: own,
      client: async (client, world) => {
        await client.quietly("set server indirect/b state drain");
        await world.untilCell("b", "status", "DRAIN");
        await ask(client, get("/1", "Cookie: SRV=s2"));
        await ask(client, get("/2"));
        await client.quietly("set server indirect/b state ready");
        await world.untilCell("b", "status", "no check");
      },
      sees: ['200 "b"', "no cookie", '200 "a"', "set-cookie: SRV=s1; path=/"],
      log: ["200 --VN", "200 --NI"],
    },
  ],
);

const setting = {
  reply: ({ server, target }: { server: string; target: string }) => [
    `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n${target === "/set" ? "Set-Cookie: SRV=own; path=/x; HttpOnly\r\nSet-Cookie: other=1\r\n" : ""}\r\n${server}`,
  ],
};

const rewriting = (line: string, words: Readonly<Record<string, unknown>>): ProxySpec => ({
  ...sticky(line, words),
  servers: { ...servers, c: {} },
});

theme(
  "stickiness by a server's own cookie",
  {
    proxies: {
      rewritten: rewriting("rewrite", { mode: "rewrite" }),
      prefixed: rewriting("prefix", { mode: "prefix" }),
    },
  },
  (["rewritten", "prefixed"] as const).map((proxy) => {
    const set = proxy === "rewritten" ? "" : "~own";
    // By turns where nothing leads to a server, and with the third one, which has no value, as the server set it.
    const turns =
      proxy === "rewritten" ? ["b", "b", "c", "a", "b", "c", "a"] : ["b", "b", "b", "c", "a", "a", "b"];
    const last = proxy === "rewritten" ? "b" : "a";
    const cookie = (value: string) => `set-cookie: SRV=${value}; path=/x; HttpOnly; set-cookie: other=1`;
    const counts = { rewritten: [7, 1], prefixed: [3, 5] }[proxy];
    return {
      name: `${proxy}: what servers set, what they see, and where clients go`,
      proxy,
      servers: setting,
      client: async (client: Client) => {
        for (const path of ["/set", "/set", "/set", "/"]) await ask(client, get(path));
        for (const value of ["s2", "s2~own", "nobody", "x~own", "~", "s1~a~b", "s2~"])
          await ask(client, get("/", `Cookie: a=b; SRV=${value}; c=d`));
        await ask(client, get("/set", "Cookie: SRV=s2"));
        await ask(client, get("/", "Cookie: SRV=s1~1; SRV=s2~2"));
      },
      sees: [
        ...['200 "a"', cookie(`s1${set}`), '200 "b"', cookie(`s2${set}`), '200 "c"', cookie("own")],
        ...['200 "a"', "no cookie"],
        ...turns.flatMap((server) => [`200 "${server}"`, "no cookie"]),
        ...['200 "b"', cookie(`s2${set}`), `200 "${last}"`, "no cookie"],
      ],
      log: [
        ...["200 --NR", "200 --NR", "200 --NP", "200 --NN", "200 --VR"],
        ...Array.from({ length: counts[0] }, () => "200 --IN"),
        ...Array.from({ length: counts[1] }, () => "200 --VN"),
      ],
    };
  }),
);

const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const nowS = (): number => Math.floor(Date.now() / 1000);

/** HAProxy's date of `agoS` seconds ago. */
function date(agoS: number): string {
  const units = Math.floor((nowS() - agoS) / 4);
  return [24, 18, 12, 6, 0].map((shift) => base64[Math.floor(units / 2 ** shift) % 64]).join("");
}

/** Dates in what came as how long ago they are, to ten seconds: the peers are not asked in the same moment. */
const aged = (text: string): string =>
  text.replace(/\|([A-Za-z0-9+/]{5})(?=[|;])/g, (_, digits: string) => {
    const units = [...digits].reduce((sum, digit) => sum * 64 + base64.indexOf(digit), 0);
    return `|${Math.round((nowS() - units * 4) / 10) * 10} s ago`;
  });

/** Asks with a cookie of this value, and notes what came. */
async function askDated(client: Client, value: string | null): Promise<void> {
  const { fields } = await client.ask(get("/", ...(value === null ? [] : [`Cookie: SRV=${value}`])));
  const set = fields.find((field) => field.startsWith("set-cookie:"));
  client.seen.splice(-1, 1, `${client.seen.at(-1)?.split("\n").at(-1)} ${aged(set ?? "no cookie")}`);
}

const day = 86_400;

theme(
  "stickiness for a while",
  {
    proxies: {
      idle: sticky("insert maxidle 1h", { maxidle: "1h" }),
      life: sticky("insert maxlife 1d", { maxlife: "1d" }),
      both: sticky("insert indirect maxidle 1h maxlife 1d", { indirect: true, maxidle: "1h", maxlife: "1d" }),
      dateless: sticky("insert", {}),
    },
  },
  [
    {
      name: "maxidle: a date that is renewed, and a client that comes too late",
      proxy: "idle",
      servers: own,
      client: async (client) => {
        await askDated(client, null);
        for (const value of [
          "s2",
          `s2|${date(100)}`,
          `s2|${date(-100)}`,
          `s2|${date(3_500)}`,
          `s2|${date(3_700)}`,
          `s2|${date(-2 * day)}`,
          `s2|${date(100)}|${date(200)}`,
          "s2|abc",
          `nobody|${date(100)}`,
        ])
          await askDated(client, value);
      },
      sees: [
        'body "a" set-cookie: SRV=s1|0 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago; path=/',
        'body "b" no cookie',
        'body "b" set-cookie: SRV=s2|0 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago; path=/',
        'body "a" set-cookie: SRV=s1|0 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago; path=/',
      ],
      log: [
        ...["200 --NI", "200 --VU", "200 --VU", "200 --VN", "200 --VU"],
        ...["200 --EI", "200 --EI", "200 --VU", "200 --VU", "200 --II"],
      ],
    },
    {
      name: "maxlife: the first date stays, until the life is over",
      proxy: "life",
      servers: own,
      client: async (client) => {
        await askDated(client, null);
        for (const value of [
          "s2",
          `s2|${date(100)}`,
          `s2|${date(-100)}|${date(5_000)}`,
          `s2|${date(100)}|${date(5_000)}`,
          `s2|${date(100)}|${date(day + 100)}`,
        ])
          await askDated(client, value);
      },
      sees: [
        'body "a" set-cookie: SRV=s1|0 s ago|0 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago|0 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago|0 s ago; path=/',
        'body "b" no cookie',
        'body "b" set-cookie: SRV=s2|0 s ago|5000 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago|0 s ago; path=/',
      ],
      log: ["200 --NI", "200 --VU", "200 --VU", "200 --VN", "200 --VU", "200 --OI"],
    },
    {
      name: "both: a life that is over comes before idleness, and the server sees no cookie",
      proxy: "both",
      servers: own,
      client: async (client) => {
        for (const value of [
          `s2|${date(3_700)}|${date(day + 100)}`,
          `s2|${date(3_700)}|${date(5_000)}`,
          `s2|${date(50)}|${date(5_000)}`,
        ])
          await askDated(client, value);
      },
      sees: [
        'body "a" set-cookie: SRV=s1|0 s ago|0 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago|0 s ago; path=/',
        'body "b" set-cookie: SRV=s2|0 s ago|5000 s ago; path=/',
      ],
      log: ["200 --OI", "200 --EI", "200 --VU"],
    },
    {
      name: "dates of another time are taken away",
      proxy: "dateless",
      servers: own,
      client: async (client) => {
        await askDated(client, `s2|${date(100)}`);
        await askDated(client, `s2|${date(-100)}`);
        await askDated(client, `s2|${date(-100)}|${date(100)}`);
      },
      sees: [
        'body "b" set-cookie: SRV=s2; path=/',
        'body "b" no cookie',
        'body "b" set-cookie: SRV=s2; path=/',
      ],
      log: ["200 --VU", "200 --VN", "200 --VU"],
    },
  ],
);
