import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import t, { type Test } from "tap";
import type { AdminConfig } from "../../../src/config/config.js";
import { createAdmin } from "../../../src/control/admin.js";
import { Dashboard } from "../../../src/control/dashboard/dashboard.js";
import { pageStyle } from "../../../src/control/page-style.js";
import { makeView, noActions } from "./view.js";

const config: AdminConfig = {
  listen: { kind: "address", address: "127.0.0.1", port: 80 },
  path: "/stats",
  user: "admin",
  password: "super:secrét",
  isDefault: false,
};

async function start(t: Test, changes: Partial<AdminConfig> = {}): Promise<FastifyInstance> {
  const view = () => makeView();
  const actions = { ...noActions, request: () => {}, killSessions: () => {} };
  const app = await createAdmin(
    { ...config, ...changes },
    view,
    new Dashboard(
      view,
      async () => "",
      () => {},
      null,
    ),
    actions,
  );
  t.teardown(() => app.close());
  return app;
}

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});
const known = basic(config.user, config.password);

t.test("without a password every URL is refused with HAProxy's realm, and nothing is told", async (t) => {
  const app = await start(t);
  for (const url of ["/", "/stats", "/stats;csv", "/stats;json", "/nowhere", "/favicon.ico"]) {
    const answer = await app.inject({ url });
    t.equal(answer.statusCode, 401, url);
    t.match(answer.headers["www-authenticate"], /^Basic realm="HAProxy Statistics"/);
    t.notMatch(answer.body, /pxname|lb-box1/);
  }
});

t.test("a wrong user, a wrong password and a broken header are refused", async (t) => {
  const app = await start(t);
  const wrong = [
    basic("admin", "supersecret"),
    basic("root", config.password),
    basic("", ""),
    basic("admin", ""),
    { authorization: "Basic !!!" },
    { authorization: "Bearer abc" },
  ];
  for (const headers of wrong) {
    t.equal((await app.inject({ url: "/stats", headers })).statusCode, 401, headers.authorization);
  }
});

t.test("the page is HTML and refreshes itself, unless it is asked not to", async (t) => {
  const app = await start(t);
  const page = await app.inject({ url: "/stats", headers: known });
  t.equal(page.statusCode, 200);
  t.match(page.headers["content-type"], /^text\/html/);
  t.match(page.body, '<meta http-equiv="refresh" content="5">');
  const still = await app.inject({ url: "/stats;norefresh", headers: known });
  t.notMatch(still.body, "http-equiv");
});

t.test("HAProxy's URLs for CSV answer as text, with the empty line at the end", async (t) => {
  const app = await start(t);
  for (const url of [
    "/stats;csv",
    "/stats;csv;norefresh",
    "/stats/;csv",
    "/stats/;csv;norefresh",
    "/stats;csv?x=1",
  ]) {
    const answer = await app.inject({ url, headers: known });
    t.equal(answer.statusCode, 200, url);
    t.match(answer.headers["content-type"], /^text\/plain/);
    t.match(answer.body, /^# pxname,.*\nhttp,FRONTEND,[\s\S]*\n\n$/);
  }
});

t.test(";json answers as JSON", async (t) => {
  const app = await start(t);
  const answer = await app.inject({ url: "/stats;json", headers: known });
  t.match(answer.headers["content-type"], /^application\/json/);
  t.match(answer.json(), [[{ objType: "Frontend" }]]);
});

t.test("the root leads to the page, other URLs and methods to nothing", async (t) => {
  const app = await start(t);
  const root = await app.inject({ url: "/", headers: known });
  t.match(root, { statusCode: 302, headers: { location: "/stats" } });
  for (const url of ["/statsfoo", "/stats/foo", "/STATS", "/stats/../etc", "//stats"]) {
    t.equal((await app.inject({ url, headers: known })).statusCode, 404, url);
  }
  t.equal((await app.inject({ method: "POST", url: "/nowhere", headers: known })).statusCode, 404);
});

t.test("HEAD has the headers and no body", async (t) => {
  const app = await start(t);
  const answer = await app.inject({ method: "HEAD", url: "/stats;csv", headers: known });
  t.match(answer, { statusCode: 200, body: "" });
});

t.test("an URL that cannot be decoded is a bad request", async (t) => {
  const app = await start(t);
  t.equal((await app.inject({ url: "/%zz", headers: known })).statusCode, 400);
});

t.test("every answer forbids caching, framing and any content but the page's own style", async (t) => {
  const app = await start(t);
  const hash = createHash("sha256").update(pageStyle).digest("base64");
  for (const headers of [{}, known]) {
    const answer = await app.inject({ url: "/stats", headers });
    t.match(answer.headers, {
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    const policy = String(answer.headers["content-security-policy"]);
    t.match(policy, "default-src 'none'");
    t.match(policy, `style-src 'sha256-${hash}'`);
  }
  const page = await app.inject({ url: "/stats", headers: known });
  t.match(page.body, `<style>${pageStyle}</style>`);
});

t.test("after ten wrong passwords an address waits, and its right password too; others do not", async (t) => {
  const app = await start(t, { password: "right" });
  const ask = async (password: string, remoteAddress: string) => {
    const answer = await app.inject({ url: config.path, remoteAddress, headers: basic("admin", password) });
    return answer.statusCode;
  };
  for (let i = 0; i < 10; i++) t.equal(await ask("wrong", "10.0.0.1"), 401);
  t.equal(await ask("right", "10.0.0.1"), 429);
  t.equal(await ask("right", "10.0.0.2"), 200);
  const answer = await app.inject({
    url: config.path,
    remoteAddress: "10.0.0.1",
    headers: basic("admin", "right"),
  });
  t.match(answer.headers, { "retry-after": /^\d+$/, "content-security-policy": /default-src 'none'/ });
});
