import t, { type Test } from "tap";
import type { AdminConfig } from "../../../src/config/config.js";
import { createAdmin } from "../../../src/control/admin.js";
import { Dashboard } from "../../../src/control/dashboard/dashboard.js";
import { defaultCheck as check } from "../health/check-config.js";
import { makeProxy, makeView, noActions } from "./view.js";

const reading: AdminConfig = {
  listen: { kind: "address", address: "127.0.0.1", port: 80 },
  ...{ path: "/stats", user: "admin", password: "one of one's own", isDefault: false },
};
const acting: AdminConfig = { ...reading, pageActs: true };
const proxies = [
  makeProxy("web", [
    { name: "a", host: "192.0.2.1", port: 80, check },
    { name: "b", host: "192.0.2.2", port: 80 },
  ]),
  makeProxy("api", [{ name: "c", host: "192.0.2.3", port: 80 }]),
];
const authorization = `Basic ${Buffer.from(`${acting.user}:${acting.password}`).toString("base64")}`;

async function start(t: Test, config = acting, readOnly: string | null = null) {
  const view = () => makeView(proxies);
  const asked: string[] = [];
  const app = await createAdmin(
    config,
    view,
    new Dashboard(
      view,
      async () => "",
      () => {},
      readOnly,
    ),
    {
      ...noActions,
      setState: (...change) => asked.push(`state ${change.join(" ")}`),
      setHealth: (...change) => asked.push(`health ${change.join(" ")}`),
      killSessions: (...change) => asked.push(`kill ${change.join(" ")}`),
      request: () => {},
    },
  );
  t.teardown(() => app.close());
  const get = (url: string) => app.inject({ url, headers: { authorization } });
  const token = /name="token" value="([^"]+)"/.exec((await get("/stats")).body)?.[1] ?? "";
  const post = async (form: Record<string, string | string[]>, headers: Record<string, string> = {}) => {
    const fields = new URLSearchParams();
    for (const [name, values] of Object.entries(form))
      for (const value of [values].flat()) fields.append(name, value);
    const sent = { "content-type": "application/x-www-form-urlencoded", host: "lb:80", authorization };
    return await app.inject({
      ...{ method: "POST", url: "/stats", payload: `${fields}`, headers: { ...sent, ...headers } },
    });
  };
  /** What the page says then. */
  const outcome = async (form: Record<string, string | string[]>, headers: Record<string, string> = {}) => {
    const answer = await post({ token, ...form }, headers);
    if (answer.statusCode !== 303) return `${answer.statusCode}`;
    return /^\/stats;st=(\w+)$/.exec(String(answer.headers.location))?.[1];
  };
  return { app, asked, get, post, token, outcome };
}

t.test(
  "the page has a form for each proxy, may send it to itself alone, and does not reload by itself",
  async (t) => {
    const { get } = await start(t);
    const page = await get("/stats");
    t.match(page.body, '<form method="post" action="/stats">');
    t.match(page.body, '<input type="hidden" name="b" value="#2">');
    t.match(page.body, '<input type="checkbox" name="s" value="b"');
    t.match(page.headers["content-security-policy"], /form-action 'self'/);
    t.notMatch(page.body, "http-equiv");
    t.match((await get("/stats;refresh")).body, "http-equiv");
  },
);

t.test(
  "an action is carried out on the servers that are marked, and the page says what came of it",
  async (t) => {
    const { get, asked, outcome } = await start(t);
    t.equal(await outcome({ b: "#2", s: ["a", "b"], action: "drain" }), "DONE");
    t.equal(await outcome({ b: "api", s: "c", action: "maint" }), "DONE");
    t.equal(await outcome({ b: "#2", s: "a", action: "ready" }), "DONE");
    t.equal(await outcome({ b: "#2", s: "a", action: "hdown" }), "DONE");
    t.equal(await outcome({ b: "#2", s: "a", action: "hrunn" }), "DONE");
    t.equal(await outcome({ b: "#3", s: "c", action: "shutdown" }), "DONE");
    t.same(asked, [
      ...["state 0 0 drain", "state 0 1 drain", "state 1 0 maint", "state 0 0 ready"],
      ...["health 0 0 down", "health 0 0 up", "kill api c"],
    ]);
    t.match((await get("/stats;st=DONE")).body, /DONE<\/strong> Action processed successfully\./);
    t.match((await get("/stats;st=DENY")).body, /DENY<\/strong> Action denied\./);
    t.notMatch((await get("/stats;st=%3Cb%3E")).body, "role=");
  },
);

t.test("what is not whole is told of, and what is not known changes nothing", async (t) => {
  const { asked, outcome } = await start(t);
  t.equal(await outcome({ b: "#2", action: "drain" }), "NONE");
  t.equal(await outcome({ b: "#2", s: "a", action: "" }), "NONE");
  t.equal(await outcome({ b: "#9", s: "a", action: "drain" }), "ERRP");
  t.equal(await outcome({ b: "#2", s: "a", action: "explode" }), "ERRP");
  t.equal(await outcome({ b: "#2", s: "z", action: "drain" }), "ERRP");
  t.equal(await outcome({ b: "#2", s: "b", action: "hdown" }), "ERRP", "it has no checks");
  t.same(asked, []);
  t.equal(await outcome({ b: "#2", s: ["a", "z"], action: "drain" }), "PART");
  t.same(asked, ["state 0 0 drain"]);
});

t.test("without the page's token, from another site, or in another form nothing is done", async (t) => {
  const { app, asked, post, token, outcome } = await start(t);
  const drain = { b: "#2", s: "a", action: "drain" };
  const location = async (form: Record<string, string>) => (await post(form)).headers.location;
  t.equal(await location(drain), "/stats;st=DENY");
  for (const wrong of ["", "x", `${token}x`, token.toLowerCase(), token.slice(1)])
    t.equal(await location({ ...drain, token: wrong }), "/stats;st=DENY", wrong);
  t.equal(await outcome(drain, { "sec-fetch-site": "cross-site" }), "DENY");
  t.equal(await outcome(drain, { "sec-fetch-site": "same-site" }), "DENY");
  t.equal(await outcome(drain, { origin: "http://evil.example" }), "DENY");
  t.equal(await outcome(drain, { origin: "null" }), "DENY");
  t.equal(await outcome(drain, { authorization: "" }), "401");
  t.equal(await outcome(drain, { "content-type": "text/plain" }), "DENY");
  t.equal(await outcome(drain, { "content-type": "application/json" }), "400");
  t.equal(
    (await app.inject({ url: `/stats?token=${token}&b=%232&s=a&action=drain`, headers: { authorization } }))
      .statusCode,
    200,
  );
  t.same(asked, []);
  t.equal(await outcome(drain, { origin: "http://lb:80", "sec-fetch-site": "same-origin" }), "DONE");
});

t.test("a token is another one each time that the server starts", async (t) => {
  const [first, second] = [await start(t), await start(t)];
  t.not(first.token, second.token);
  t.equal(await second.outcome({ b: "#2", s: "a", action: "drain", token: first.token }), "DENY");
});

for (const [name, config, readOnly] of [
  ["where it is not asked for", reading, null],
  ["with the password that everybody knows", acting, "the default password"],
] as const)
  t.test(`the page only reads ${name}`, async (t) => {
    const { get, asked, outcome } = await start(t, config, readOnly);
    const page = await get("/stats");
    t.notMatch(page.body, "<form");
    t.match(page.headers["content-security-policy"], /form-action 'none'/);
    t.equal(await outcome({ b: "#2", s: "a", action: "drain", token: "" }), "DENY");
    t.same(asked, []);
  });
