import { waitFor } from "../../lab/clock.js";
import type { Client } from "./reference/client.js";
import { get, head, ok } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

/** What `show errors` says, without times, ports and the inner state of either parser. */
async function errors(client: Client, words = ""): Promise<void> {
  const text = await client.quietly(`show errors${words}`);
  const hidden = /^ {2}(H1 |reason )/;
  for (const line of text.split("\n").filter((one) => one.trim() !== "" && !hidden.test(one)))
    client.note(
      line
        .replace(/\[\d\d\/\w+\/\S+\]/, "[date]")
        .replace(/src \S+$/, "src ?")
        .replace(/wraps at \d+/, "wraps at ?"),
    );
}

theme("invalid messages", { proxies: { web: { servers: { a: {} } }, other: { servers: { b: {} } } } }, [
  {
    name: "an invalid request is shown with what came, and where it broke",
    proxy: "web",
    client: async (client) => {
      await errors(client);
      await client.ask(get(`/second${"x".repeat(80)}`, "Bad\x02Name: \xe4"));
      await errors(client);
    },
    sees: [
      "Total events captured on [date] : 0",
      "400 of the proxy, closes",
      "Total events captured on [date] : 1",
      "[date] frontend web (#2): invalid request",
      "  backend <NONE> (#-1), server <NONE> (#-1), event #0, src ?",
      "  buffer starts at 0 (including 0 out), 16255 free,",
      "  len 129, wraps at ?, error at position 117",
      `  00000  GET /second${"x".repeat(59)}`,
      `  00070+ ${"x".repeat(21)} HTTP/1.1\\r\\n`,
      "  00102  Host: site\\r\\n",
      "  00114  Bad\\x02Name: \\xE4\\r\\n",
      "  00127  \\r\\n",
    ],
    log: ["400 PR--"],
  },
  {
    name: "an invalid response is shown, and who asked for it",
    proxy: "web",
    servers: { reply: () => [head("HTTP/1.1 200 OK", "Content-Length: 2", "Bad\x01: x")] },
    client: async (client) => {
      await client.ask(get("/"));
      await errors(client, " web response");
      await errors(client, " other");
      await client.command("show errors nobody");
    },
    sees: [
      "502 of the proxy",
      "Total events captured on [date] : 2",
      "[date] backend web (#2): invalid response",
      "  frontend web (#2), server a (#1), event #1, src ?",
      "  buffer starts at 0 (including 0 out), 16337 free,",
      "  len 47, wraps at ?, error at position 39",
      "  00000  HTTP/1.1 200 OK\\r\\n",
      "  00017  Content-Length: 2\\r\\n",
      "  00036  Bad\\x01: x\\r\\n",
      "  00045  \\r\\n",
      "Total events captured on [date] : 2",
      "show errors nobody → No such proxy.",
    ],
    log: ["502 PH--"],
  },
]);

/** Of each session that is at a server: whose it is. */
async function sessions(client: Client): Promise<string | null> {
  const lines = (await client.quietly("show sess")).split("\n").filter((line) => !/srv=<none>/.test(line));
  for (const line of lines.filter((one) => one !== ""))
    client.note(
      /proto=(\S+) src=127\.0\.0\.1:\d+ (fe=\S+ be=\S+ srv=\S+)/.exec(line)?.slice(1).join(" ") ?? line,
    );
  return /^(0x[0-9a-f]+): proto/.exec(lines[0])?.[1] ?? null;
}

theme("sessions", { proxies: { web: { servers: { a: {} } }, raw: { mode: "tcp", servers: { b: {} } } } }, [
  {
    name: "a session is shown, and its id kills it",
    proxy: "web",
    servers: { reply: () => [5_000, ok("late")] },
    client: async (client, world) => {
      await client.send(get("/"));
      await world.untilAsked(1);
      const id = await sessions(client);
      const [first] = (await client.quietly(`show sess ${id}`)).split("\n");
      client.note(/^(0x[0-9a-f]+): \[.*?\] .*proto=tcpv4 source=127/.test(first) ? "at length" : first);
      client.note(`shutdown session → ${(await client.quietly(`shutdown session ${id}`)).trim()}`);
      await client.answer();
      await sessions(client);
    },
    sees: ["tcpv4 fe=web be=web srv=a", "at length", "shutdown session → ", "502 of the proxy"],
    log: ["502 KH--"],
  },
  {
    name: "every session at a server is killed at once",
    proxy: "raw",
    servers: { greeting: () => ["hello"] },
    client: async (client) => {
      await client.connect();
      await client.bytes(5);
      await sessions(client);
      await client.command("shutdown sessions server raw/b");
      await client.closed();
    },
    sees: ['bytes "hello"', "tcpv4 fe=raw be=raw srv=b", "shutdown sessions server raw/b → ", "closed"],
    log: ["K-"],
  },
  {
    name: "what cannot be is told",
    proxy: "web",
    client: async (client) => {
      for (const command of [
        "show sess 0x1",
        "shutdown session",
        "shutdown session x",
        "shutdown session 0x1",
        "shutdown sessions server",
        "shutdown sessions server web/z",
        "shutdown sessions server x/a",
        "user;show errors",
        "user;show sess",
        "operator;shutdown session 0x1",
        "operator;shutdown sessions server web/a",
      ])
        await client.command(command);
    },
    sees: [
      "show sess 0x1 → Session not found.",
      "shutdown session → Session pointer expected (use 'show sess').",
      "shutdown session x → Session pointer expected (use 'show sess').",
      "shutdown session 0x1 → No such session (use 'show sess').",
      "shutdown sessions server → Require 'backend/server'.",
      "shutdown sessions server web/z → No such server.",
      "shutdown sessions server x/a → No such backend.",
      "user;show errors → Permission denied",
      "user;show sess → Permission denied",
      "operator;shutdown session 0x1 → Permission denied",
      "operator;shutdown sessions server web/a → Permission denied",
    ],
    log: [],
  },
]);

/** Cells of `show servers conn` by their columns' names, of one server. */
async function connections(client: Client, place: string): Promise<ReadonlyMap<string, string>> {
  const [header, ...rows] = (await client.quietly("show servers conn")).trim().split("\n");
  const cells = rows.map((row) => row.split(" ")).find(([name]) => name === place) ?? [];
  return new Map(
    header
      .slice(2)
      .split(" ")
      .map((column, i) => [column, cells[i] ?? ""]),
  );
}

const numbersHidden = (text: string): string => text.trim().replace(/'\d{4,5}'/g, "'?'");

theme(
  "addresses by commands",
  { proxies: { moved: { servers: { a: {} } }, other: { servers: { b: {} } } } },
  [
    {
      name: "a server that is given another address gets what comes there, over new connections",
      proxy: "moved",
      servers: { reply: ({ server }) => [ok(server)] },
      client: async (client) => {
        const note = async (place: string) => {
          // A client has its answer a moment before the connection to the server rests.
          const cells = await waitFor("a connection at rest", 5_000, async () => {
            const now = await connections(client, place);
            return now.get("used_cur") === "0" ? now : null;
          });
          const shown = ["bkname/svname", "bkid/svid", "addr", "used_cur", "used_max", "idle_cur"];
          client.note(shown.map((column) => cells.get(column)).join(" "));
          return `${cells.get("port")}`;
        };
        await client.ask(get("/"));
        const [own, others] = [await note("moved/a"), await note("other/b")];
        const move = async (words: string) =>
          client.note(numbersHidden(await client.quietly(`set server moved/a addr ${words}`)));
        await move(`127.0.0.1 port ${others}`);
        await client.ask(get("/"));
        client.note(`${(await note("moved/a")) === others}`);
        client.note(
          `${(await client.quietly("show servers state moved")).includes(` ${others} - 0 0 - - 0`)}`,
        );
        await move(`127.0.0.1 port ${own}`);
        await client.ask(get("/"));
        await move(`127.0.0.1 port ${own}`);
        await move("127.0.0.1");
      },
      sees: [
        '200 "a"',
        "moved/a 2/1 127.0.0.1 0 1 1",
        "other/b 3/1 127.0.0.1 0 0 0",
        "no need to change the addr, port changed from '?' to '?' by 'stats socket command'",
        '200 "b"',
        "moved/a 2/1 127.0.0.1 0 1 1",
        "true",
        "true",
        "no need to change the addr, port changed from '?' to '?' by 'stats socket command'",
        '200 "a"',
        "no need to change the addr, no need to change the port by 'stats socket command'",
        "no need to change the addr by 'stats socket command'",
      ],
      log: ["200 ----", "200 ----", "200 ----"],
      asked: ["a GET /", "b GET /", "a GET /"],
    },
    {
      name: "an address is told of when it changes, and what cannot be",
      proxy: "other",
      client: async (client) => {
        for (const words of ["addr", "addr localhost", "check-port 80", "fqdn a.example"])
          client.note(`${words} → ${(await client.quietly(`set server other/b ${words}`)).trim()}`);
        for (const words of ["127.0.0.2", "::1", "127.0.0.1"])
          client.note((await client.quietly(`set server other/b addr ${words}`)).trim());
        await client.command("show backend");
        await client.command("show servers conn nowhere");
      },
      sees: [
        "addr → set server <b>/<s> addr requires an address and optionally a port.",
        "addr localhost → Invalid addr 'localhost' by 'stats socket command'",
        "check-port 80 → health checks are not enabled on this server",
        "fqdn a.example → set server <b>/<s> fqdn failed because no resolution is configured.",
        "IP changed from '127.0.0.1' to '127.0.0.2' by 'stats socket command'",
        "IP changed from '127.0.0.2' to '::1' by 'stats socket command'",
        "IP changed from '::1' to '127.0.0.1' by 'stats socket command'",
        "show backend → # name\nmoved\nother",
        "show servers conn nowhere → Can't find backend.",
      ],
      log: [],
    },
  ],
);
