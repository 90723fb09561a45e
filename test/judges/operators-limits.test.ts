import { connect } from "node:net";
import t, { type Test } from "tap";
import { waitFor } from "../../lab/clock.js";
import { Client } from "./reference/client.js";
import { get, ok } from "./reference/origin.js";
import { Peer } from "./reference/peer.js";
import { theme } from "./reference/theme.js";

/** Whether somebody listens there: who is refused has not been a client. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.resetAndDestroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

async function commands(client: Client, lines: readonly string[]): Promise<void> {
  for (const line of lines) await client.command(line);
}

theme(
  "limits by commands",
  {
    proxies: {
      many: { servers: { a: {} } },
      line: { servers: { a: { haproxy: "maxconn 5", tandem: { maxconn: 5 } } } },
      free: { servers: { a: {} } },
      // The last one: it is stopped for good.
      gone: { servers: { a: {} } },
    },
  },
  [
    {
      name: "a frontend's maxconn holds from the next client on, and shows",
      proxy: "many",
      client: async (client, world) => {
        await client.command("set maxconn frontend many 1");
        client.note(`slim ${(await world.stat()).get("many/FRONTEND")?.get("slim")}`);
        await client.connect();
        await client.ask(get("/1"));
        await client.connect();
        await client.send(get("/2"));
        await client.silent(150);
        client.use(1);
        client.fin();
        client.use(2);
        await client.answer();
        client.fin();
        await world.untilCell("FRONTEND", "scur", "0");
        await client.command("set maxconn frontend many 0");
        client.note(`slim ${(await world.stat()).get("many/FRONTEND")?.get("slim")}`);
        await client.command("set maxconn frontend many 2000");
      },
      sees: [
        "set maxconn frontend many 1 → ",
        "slim 1",
        '200 "hello"',
        "silent",
        '200 "hello"',
        "set maxconn frontend many 0 → ",
        "slim 0",
        "set maxconn frontend many 2000 → ",
      ],
      log: ["200 ----", "200 ----"],
    },
    {
      name: "the process's maxconn holds, and 0 is what the file says",
      proxy: "many",
      client: async (client) => {
        const shown = async () =>
          client.note(
            ((await client.quietly("show info")).match(/^(Maxc|Hard_maxc)onn: .*$/gm) ?? []).join(" "),
          );
        await client.command("set maxconn global 1");
        await shown();
        await client.command("set maxconn global 0");
        await shown();
        await commands(client, ["set maxconn global 3000", "set maxconn global"]);
      },
      sees: [
        "set maxconn global 1 → ",
        "Maxconn: 1 Hard_maxconn: 2000",
        "set maxconn global 0 → ",
        "Maxconn: 2000 Hard_maxconn: 2000",
        "set maxconn global 3000 → Value out of range.",
        "set maxconn global → Expects an integer value.",
      ],
      log: [],
    },
    {
      name: "a server's maxconn holds from the next request on, and shows",
      proxy: "line",
      servers: { reply: ({ target }) => [250, ok(target)] },
      client: async (client, world) => {
        await client.command("set maxconn server line/a 1");
        client.note(`slim ${(await world.stat()).get("line/a")?.get("slim")}`);
        for (let i = 1; i <= 2; i++) {
          await client.connect();
          await client.send(get(`/${i}`));
          await world.untilAsked(1);
        }
        await world.untilCell("BACKEND", "qcur", "1");
        for (let i = 1; i <= 2; i++) {
          client.use(i);
          await client.answer();
        }
        await client.command("set maxconn server line/a 5");
      },
      sees: [
        "set maxconn server line/a 1 → ",
        "slim 1",
        '200 "/1"',
        '200 "/2"',
        "set maxconn server line/a 5 → ",
      ],
      log: ["200 ----", "200 ----"],
      tandem: { because: "queued", cells: { "a lbtot": ["1", "2"], "BACKEND lbtot": ["1", "2"] } },
    },
    {
      name: "a server without maxconn gets one, and loses it",
      proxy: "free",
      servers: { reply: ({ target }) => [350, ok(target)] },
      client: async (client, world) => {
        await client.command("set maxconn server free/a 1");
        // Tandem counts the places at such a server from its next heartbeat on.
        await client.pause(300);
        for (let i = 1; i <= 2; i++) {
          await client.connect();
          await client.send(get(`/${i}`));
          await world.untilAsked(1);
        }
        await world.untilCell("BACKEND", "qcur", "1");
        for (let i = 1; i <= 2; i++) {
          client.use(i);
          await client.answer();
        }
        await client.command("set maxconn server free/a 0");
        client.note(`slim ${(await world.stat()).get("free/a")?.get("slim")}`);
      },
      sees: [
        "set maxconn server free/a 1 → ",
        '200 "/1"',
        '200 "/2"',
        "set maxconn server free/a 0 → ",
        "slim ",
      ],
      log: ["200 ----", "200 ----"],
      tandem: { because: "queued", cells: { "a lbtot": ["1", "2"], "BACKEND lbtot": ["1", "2"] } },
    },
    {
      name: "what cannot be is told",
      proxy: "many",
      client: (client) =>
        commands(client, [
          "set maxconn frontend",
          "set maxconn frontend nobody 3",
          "set maxconn frontend many",
          "set maxconn frontend many -1",
          "set maxconn server",
          "set maxconn server many/a",
          "set maxconn server many/a x",
          "set maxconn server many/a 3x",
          "set maxconn server many/z 3",
          "set maxconn server nobody/a 3",
          "disable frontend",
          "disable frontend nobody",
          "enable frontend many",
          "shutdown frontend nobody",
          "operator;set maxconn global 5",
          "operator;set maxconn frontend many 5",
          "operator;set maxconn server many/a 5",
          "operator;disable frontend many",
          "operator;shutdown frontend many",
        ]),
      sees: [
        "set maxconn frontend → A frontend name is expected.",
        "set maxconn frontend nobody 3 → No such frontend.",
        "set maxconn frontend many → Integer value expected.",
        "set maxconn frontend many -1 → Value out of range.",
        "set maxconn server → Require 'backend/server'.",
        "set maxconn server many/a → Require <maxconn>.",
        "set maxconn server many/a x → maxconn string empty or preceded by garbage",
        "set maxconn server many/a 3x → Trailing garbage in maxconn string",
        "set maxconn server many/z 3 → No such server.",
        "set maxconn server nobody/a 3 → No such backend.",
        "disable frontend → A frontend name is expected.",
        "disable frontend nobody → No such frontend.",
        "enable frontend many → All sockets are already enabled.",
        "shutdown frontend nobody → No such frontend.",
        "operator;set maxconn global 5 → Permission denied",
        "operator;set maxconn frontend many 5 → Permission denied",
        "operator;set maxconn server many/a 5 → Permission denied",
        "operator;disable frontend many → Permission denied",
        "operator;shutdown frontend many → Permission denied",
      ],
      log: [],
    },
    {
      name: "a frontend that is disabled refuses clients, serves those it has, and is enabled again",
      proxy: "many",
      client: async (client, world) => {
        await client.ask(get("/1"));
        await client.command("disable frontend many");
        client.note(`${(await world.stat()).get("many/FRONTEND")?.get("status")}`);
        client.note(`listens: ${await isListening(world.port)}`);
        await client.command("disable frontend many");
        await client.ask(get("/2"));
        await client.command("enable frontend many");
        client.note(`${(await world.stat()).get("many/FRONTEND")?.get("status")}`);
        await client.connect();
        await client.ask(get("/3"));
      },
      sees: [
        '200 "hello"',
        "disable frontend many → ",
        "PAUSED",
        "listens: false",
        "disable frontend many → All sockets are already disabled.",
        '200 "hello"',
        "enable frontend many → ",
        "OPEN",
        '200 "hello"',
      ],
      log: ["200 ----", "200 ----", "200 ----"],
    },
    {
      name: "a frontend that is shut down stays so, and its clients leave with their next answer",
      proxy: "gone",
      client: async (client, world) => {
        await client.ask(get("/1"));
        await client.command("shutdown frontend gone");
        client.note(`${(await world.stat()).get("gone/FRONTEND")?.get("status")}`);
        client.note(`listens: ${await isListening(world.port)}`);
        await commands(client, ["enable frontend gone", "disable frontend gone", "shutdown frontend gone"]);
        await client.ask(get("/2"));
      },
      sees: [
        '200 "hello"',
        "shutdown frontend gone → ",
        "STOP",
        "listens: false",
        "enable frontend gone → Frontend was previously shut down, cannot enable.",
        "disable frontend gone → Frontend was previously shut down, cannot disable.",
        "shutdown frontend gone → Frontend was already shut down.",
        '200 "hello"',
      ],
      log: ["200 ----", "200 ----"],
      tandem: { because: "servers-stay", asked: ["a GET /1", "a GET /2"] },
    },
  ],
);

/** `name:"meaning"` of every line that has one, without what is only ours. */
const meanings = (text: string): string[] =>
  [...text.matchAll(/^(.*?)[.:].*:"(.*)"$/gm)].map(([, name, meaning]) => `${name} ${meaning}`);
/** Position, name, tags and type of every line: `8.Uptime_sec.1:MDP:flt`. */
const shapes = (text: string): string[] =>
  text
    .trim()
    .split("\n")
    .map((line) => line.split(":").slice(0, 3).join(":"));

async function pair(t: Test): Promise<readonly [Peer, Peer]> {
  const options = {
    proxies: { web: { servers: { a: { check: { inter: 100 } } }, haproxy: ["cookie C insert"] } },
    servers: ["a"],
  };
  const peers = await Promise.all([Peer.start("haproxy", options), Peer.start("direct", options)]);
  t.teardown(() => Promise.all(peers.map((peer) => peer.stop())));
  return peers;
}

t.test(
  "show info and show stat tell what fields mean, in floats, and their schema, as HAProxy does",
  async (t) => {
    const [haproxy, tandem] = await pair(t);
    for (const peer of [haproxy, tandem])
      await waitFor("the first check", 10_000, async () => (await peer.ask("show stat")).includes("L4OK"));
    for (const command of ["show info desc", "show info typed desc"]) {
      const theirs = meanings(await haproxy.ask(command));
      t.ok(theirs.length > 60, `${command} describes ${theirs.length} fields`);
      const ours = new Set(meanings(await tandem.ask(command)));
      t.same(
        theirs.filter((one) => !ours.has(one)),
        [],
        command,
      );
    }
    t.same(
      shapes(await tandem.ask("show info typed float")).slice(
        0,
        shapes(await haproxy.ask("show info typed float")).length,
      ),
      shapes(await haproxy.ask("show info typed float")),
    );
    t.match(await tandem.ask("show info float"), /^Uptime_sec: \d+(\.\d{1,6})?$/m);
    const described = async (peer: Peer) =>
      (await peer.ask("show stat typed desc"))
        .split("\n")
        .map((line) => /^(\w\.\d+\.\d+\.\d+\.\S+\.1:\w+:\w+):.*:"(.*)"$/.exec(line)?.slice(1).join(" "))
        .filter((line) => line !== undefined && !/^\S+\.(cookie|addr)\.1:/.test(line));
    t.same(await described(tandem), await described(haproxy), "show stat typed desc");
    t.equal(
      (await tandem.ask("show stat desc")).split("\n")[0],
      (await haproxy.ask("show stat desc")).split("\n")[0],
    );
    const schema = async (peer: Peer): Promise<unknown> => JSON.parse(await peer.ask("show schema json"));
    t.same(await schema(tandem), await schema(haproxy), "show schema json");
  },
);

for (const engine of ["direct", "portable"] as const)
  t.test(`${engine}: a frontend that is full is given more, where HAProxy 2.6.12 hangs`, async (t) => {
    const peer = await Peer.start(engine, {
      proxies: { web: { servers: { a: {} }, maxconn: 1 } },
      servers: ["a"],
    });
    t.teardown(() => peer.stop());
    peer.origins.begin({});
    const client = new Client(peer.ports.web, "127.0.0.1", (command) => peer.ask(command));
    t.teardown(() => client.leave());
    await client.ask(get("/1"));
    await client.connect();
    await client.send(get("/2"));
    await client.silent(150);
    await client.command("set maxconn frontend web 2");
    t.equal((await client.answer()).status, 200);
    t.equal((await peer.stat()).get("web/FRONTEND")?.get("scur"), "2");
  });
