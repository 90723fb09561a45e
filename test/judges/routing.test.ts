import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { get, head, ok } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const folder = mkdtempSync(join(tmpdir(), "lb-judged-files-"));
t.teardown(() => rmSync(folder, { recursive: true }));
const sorry = join(folder, "503.http");
const page = "<p>Back in a minute</p>";
const lines = [
  "HTTP/1.1 503 Service Unavailable",
  "Content-Type: text/html",
  `Content-Length: ${page.length}`,
];
writeFileSync(sorry, head(...lines, "X-Page: own") + page);

theme(
  "backends by rule, rules for responses, error files",
  {
    proxies: {
      web: {
        servers: { a: {} },
        haproxy: ["use_backend api if { path_beg /api/ }", "use_backend old if { hdr(host) -i old.example }"],
        tandem: {
          rules: [
            { if: { path_beg: "/api/" }, use_backend: "api" },
            { if: { host: "old.example" }, use_backend: "old" },
          ],
        },
      },
      api: { servers: { b: {} } },
      old: { servers: { c: {} } },
      edited: {
        servers: { a: {} },
        haproxy: [
          "http-response del-header Server",
          "http-response set-header X-Frame-Options DENY",
          "http-response add-header X-Added two",
          "http-response set-header X-Error yes if { status 500 }",
        ],
        tandem: {
          response_rules: [
            { del_header: "Server" },
            { set_header: { "X-Frame-Options": "DENY" } },
            { add_header: { "X-Added": "two" } },
            { if: { status: 500 }, set_header: { "X-Error": "yes" } },
          ],
        },
      },
      sorry: {
        servers: { a: { disabled: true } },
        haproxy: [`errorfile 503 ${sorry}`],
        tandem: { errorfiles: { 503: sorry } },
      },
      silent: {
        servers: { a: { at: "nobody" } },
        retries: 0,
        haproxy: ["errorfile 503 /dev/null"],
        tandem: { errorfiles: { 503: "/dev/null" } },
      },
    },
  },
  [
    {
      name: "use_backend goes by the path",
      proxy: "web",
      servers: { reply: ({ server }) => [ok(server)] },
      client: async (client) => {
        for (const path of ["/", "/api/1", "/api", "/"]) await client.ask(get(path));
      },
      sees: ['200 "a"', '200 "b"', '200 "a"', '200 "a"'],
      log: ["200 ----", "200 ----", "200 ----", "200 ----"],
    },
    {
      name: "use_backend goes by the host",
      proxy: "web",
      servers: { reply: ({ server }) => [ok(server)] },
      client: async (client) => {
        await client.ask(head("GET / HTTP/1.1", "Host: Old.example"));
      },
      sees: ['200 "c"'],
      log: ["200 ----"],
    },
    {
      name: "a response's fields are set, added and deleted",
      proxy: "edited",
      servers: {
        reply: () => [ok("x", "Server: own", "X-Frame-Options: ALLOW", "X-Added: one", "X-Kept: 1")],
      },
      client: async (client) => {
        await client.ask(get("/1"));
        await client.ask(get("/2"));
      },
      sees: ['200 "x"', '200 "x"'],
      log: ["200 ----", "200 ----"],
    },
    {
      name: "rules for responses go by the status",
      proxy: "edited",
      servers: { reply: () => [`${head("HTTP/1.1 500 Oops", "Content-Length: 1")}x`] },
      client: async (client) => {
        const { fields } = await client.ask(get("/1"));
        client.note(fields.filter((field) => field.startsWith("x-error")).join());
      },
      sees: ['500 "x"', "x-error: yes"],
      log: ["500 ----"],
    },
    {
      name: "an error file stands for the proxy's own page",
      proxy: "sorry",
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: [`503 ${JSON.stringify(page)}`],
      log: ["503 SC--"],
      tandem: { because: "no-server", cells: { "BACKEND econ": ["1", ""] } },
    },
    {
      name: "an empty error file is no answer",
      proxy: "silent",
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: ["no answer"],
      log: ["503 SC--"],
    },
  ],
);
