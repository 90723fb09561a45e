import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import { Check } from "typebox/value";
import type { NodeView } from "../node-view.js";
import { foreignOrigin } from "../same-origin.js";
import type { Dashboard, DashboardActions } from "./dashboard.js";
import { dashboardPage, dashboardStyle } from "./page.js";
import type { DashboardState } from "./shape.js";

/** Pages that are open at the same time; each gets some kilobytes a second. */
const mostListeners = 32;
/** What may wait for a browser that does not read. */
const longestQueueBytes = 1_048_576;

const serverChange = Type.Object(
  {
    state: Type.Optional(Type.Union([Type.Literal("ready"), Type.Literal("drain"), Type.Literal("maint")])),
    weight: Type.Optional(Type.Integer({ minimum: 0, maximum: 256 })),
  },
  { additionalProperties: false },
);
const drainChange = Type.Object({ drained: Type.Boolean() }, { additionalProperties: false });

/** What the page loads besides itself; its scripts come from here alone. */
const scriptPolicy = "script-src 'self'; connect-src 'self'; style-src 'self'";

interface Asset {
  readonly type: string;
  readonly text: string;
}

/**
 * The dashboard's page, its scripts, its state as JSON and as server-sent events, and its actions. Behind the admin server's
 * authentication, like everything there.
 *
 * An action is a POST of JSON from a page of this very origin: a browser sends neither from elsewhere with the
 * credentials that it knows (CORS is not spoken here), and what it says of the origin is looked at besides.
 */
export function addDashboard(
  app: FastifyInstance,
  dashboard: Dashboard,
  actions: DashboardActions,
  view: () => NodeView,
): void {
  const assets = loadAssets();
  app.get("/dashboard", (_request, reply) => {
    const policy = String(reply.getHeader("content-security-policy")).replace(
      /style-src [^;]*/,
      scriptPolicy,
    );
    return reply
      .header("content-security-policy", policy)
      .type("text/html; charset=utf-8")
      .send(dashboardPage);
  });
  for (const [name, { type, text }] of assets) {
    app.get(`/dashboard/${name}`, (_request, reply) => reply.type(type).send(text));
  }
  app.get("/api/dashboard", async () => dashboard.state());
  app.get("/api/dashboard/history", (_request, reply) => reply.send(dashboard.all()));
  app.get("/api/dashboard/events", (request, reply) => streamEvents(dashboard, request, reply));

  app.post<{ Params: { proxy: string; server: string } }>(
    "/api/servers/:proxy/:server",
    async (request, reply) => {
      const refusal = refuse(request, dashboard);
      if (refusal !== null) return answer(reply, 403, refusal);
      const { proxy: proxyName, server: serverName } = request.params;
      const { proxies } = view();
      const proxy = proxies.findIndex(({ name }) => name === proxyName);
      const server = proxies[proxy]?.servers.findIndex(({ name }) => name === serverName) ?? -1;
      if (server < 0) return answer(reply, 404, `there is no server ${proxyName}/${serverName}`);
      const { body } = request;
      if (!Check(serverChange, body)) {
        return answer(reply, 400, "say state: ready, drain or maint, or weight: 0 to 256");
      }
      if (body.state !== undefined) actions.setState(proxy, server, body.state);
      if (body.weight !== undefined) actions.setWeight(proxy, server, body.weight);
      return reply.send(await dashboard.state());
    },
  );
  app.post("/api/drain", (request, reply) => {
    const refusal = refuse(request, dashboard);
    if (refusal !== null) return answer(reply, 403, refusal);
    if (!Check(drainChange, request.body)) return answer(reply, 400, "say drained: true or false");
    if (!view().vrrpConfigured) return answer(reply, 409, "no virtual router is configured here");
    actions.request(request.body.drained ? "drain" : "undrain");
    return answer(reply, 202, "asked for; the state tells how it went");
  });
}

/** Why an action is not taken; null: it is. */
function refuse({ headers }: FastifyRequest, dashboard: Dashboard): string | null {
  if (dashboard.readOnly !== null) return dashboard.readOnly;
  return foreignOrigin(headers);
}

function answer(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ message });
}

function streamEvents(dashboard: Dashboard, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (dashboard.listening >= mostListeners) {
    return answer(reply, 503, `${mostListeners} pages are open already`);
  }
  const headers = reply.getHeaders();
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  const tell = (state: DashboardState): void => {
    if (raw.destroyed) return;
    if (raw.writableLength > longestQueueBytes) raw.destroy();
    else raw.write(`data: ${JSON.stringify(state)}\n\n`);
  };
  const end = dashboard.listen(tell);
  request.raw.socket.once("close", end);
  void dashboard.state().then(tell);
  return reply;
}

/** Read once: they do not change while this program runs. */
function loadAssets(): ReadonlyMap<string, Asset> {
  const script = "text/javascript; charset=utf-8";
  // Seen from src/ and from dist/ alike: a browser takes what is compiled.
  const own = (name: string): Asset => ({
    type: script,
    text: readFileSync(new URL(`../../../dist/dashboard/${name}`, import.meta.url), "utf8"),
  });
  const { resolve } = createRequire(import.meta.url);
  const chart = resolve("uplot/dist/uPlot.esm.js");
  const chartStyle = readFileSync(resolve("uplot/dist/uPlot.min.css"), "utf8");
  return new Map<string, Asset>([
    ["app.js", own("app.js")],
    ["charts.js", own("charts.js")],
    ["elements.js", own("elements.js")],
    ["partner-servers.js", own("partner-servers.js")],
    ["uplot.js", { type: script, text: readFileSync(chart, "utf8") }],
    ["style.css", { type: "text/css; charset=utf-8", text: `${chartStyle}\n${dashboardStyle}` }],
  ]);
}
