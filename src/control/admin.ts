import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import basicAuth from "@fastify/basic-auth";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { AdminConfig } from "../config/config.js";
import { LbError } from "../errors.js";
import { matchCredentials } from "./credentials.js";
import type { Dashboard, DashboardActions } from "./dashboard/dashboard.js";
import { addDashboard } from "./dashboard/routes.js";
import { LoginLimit } from "./login-limit.js";
import { formatMetrics } from "./metrics.js";
import type { NodeView } from "./node-view.js";
import { pageStyle } from "./page-style.js";
import { foreignOrigin } from "./same-origin.js";
import { formatCsv, formatJson } from "./show-stat.js";
import { formatVrrpJson } from "./show-vrrp.js";
import { statRows } from "./stat-rows.js";
import { type Outcome, type StatsPageActions, takeForm } from "./stats-actions.js";
import { renderStatsPage } from "./stats-page.js";
import { parseStatsPath } from "./stats-path.js";

/** HAProxy's realm, by which browsers and scripts know the password. */
const realm = "HAProxy Statistics";

const formType = "application/x-www-form-urlencoded";
/** Some hundred names of servers. */
const formBytes = 16_384;

/** Connections beyond these are closed at once: a crowd at the admin port must not take the process's files. */
const maxConnections = 256;

/** Headers of every answer. The page has one style, allowed by its hash, and nothing else. */
const securityHeaders: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": [
    "default-src 'none'",
    `style-src 'sha256-${createHash("sha256").update(pageStyle).digest("base64")}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
};

/**
 * The admin server: HAProxy's stats page and its CSV and JSON, the metrics and the dashboard, behind basic authentication,
 * for every URL.
 *
 * Not listening yet, so that a test can inject requests; `listenAdmin` binds it to a socket.
 */
export async function createAdmin(
  config: AdminConfig,
  view: () => NodeView,
  dashboard: Dashboard,
  actions: DashboardActions & StatsPageActions,
): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: 1024,
    serverFactory: (handler) => {
      const server = createServer(
        {
          headersTimeout: 5_000,
          requestTimeout: 10_000,
          keepAliveTimeout: 15_000,
          connectionsCheckingInterval: 1_000,
          maxHeaderSize: 8_192,
        },
        handler,
      );
      server.maxConnections = maxConnections;
      // A client that takes nothing for this long is cut.
      server.setTimeout(20_000);
      return server;
    },
  });

  const pageActs = config.pageActs === true && dashboard.readOnly === null;
  // What other sites' pages cannot read: a form of ours brings it back.
  const token = randomBytes(24).toString("base64url");
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(securityHeaders);
  });
  const logins = new LoginLimit();
  await app.register(basicAuth, {
    authenticate: { realm },
    validate: (user, password, request, _reply, done) => {
      const isRight = matchCredentials(config, user, password);
      if (isRight) logins.succeed(request.ip);
      else logins.fail(request.ip, performance.now());
      done(isRight ? undefined : new Error("Unauthorized"));
    },
  });
  app.addHook("onRequest", async (request, reply) => {
    const waitMs = logins.waitMs(request.ip, performance.now());
    if (waitMs === 0 || request.headers.authorization === undefined) return;
    await explain(reply.header("retry-after", Math.ceil(waitMs / 1000)), 429);
  });
  app.addHook("onRequest", app.basicAuth);

  app.setErrorHandler((error: { readonly statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    // What nobody foresaw has no status. It ends the thread, with its stack: main starts another one.
    if (error.statusCode === undefined) {
      setImmediate(() => {
        throw error;
      });
    }
    return explain(reply, status);
  });
  app.setNotFoundHandler((_request, reply) => explain(reply, 404));

  app.get("/metrics", async (_request, reply) => {
    const { type, text } = await formatMetrics(view());
    return reply.type(type).send(text);
  });
  app.get("/api/vrrp", (_request, reply) => {
    return reply.type("application/json; charset=utf-8").send(formatVrrpJson(view()));
  });
  addDashboard(app, dashboard, actions, view);
  app.get("/*", (request, reply) => {
    const asked = parseStatsPath(config.path, request.url);
    if (asked === null) return request.url === "/" ? reply.redirect(config.path, 302) : explain(reply, 404);
    if (asked.format === "csv") {
      return reply.type("text/plain; charset=utf-8").send(`${formatCsv(statRows(view()))}\n`);
    }
    if (asked.format === "json") {
      return reply.type("application/json; charset=utf-8").send(formatJson(statRows(view())));
    }
    const html = reply.type("text/html; charset=utf-8");
    const { path } = config;
    const { refresh, outcome } = asked;
    if (!pageActs) return html.send(renderStatsPage(view(), path, refresh ?? true, null, outcome));
    const policy = String(reply.getHeader("content-security-policy"));
    // Not refreshed unless it is asked for: that would take away what has just been marked.
    return (
      html
        .header("content-security-policy", policy.replace("form-action 'none'", "form-action 'self'"))
        // A form must tell where it comes from.
        .header("referrer-policy", "same-origin")
        .send(renderStatsPage(view(), path, refresh ?? false, { path, token }, outcome))
    );
  });
  app.addContentTypeParser(formType, { parseAs: "string", bodyLimit: formBytes }, (_request, body, done) =>
    done(null, body),
  );
  app.post("/*", { bodyLimit: formBytes }, (request, reply) => {
    if (parseStatsPath(config.path, request.url) === null) return explain(reply, 404);
    const { body, headers } = request;
    const isForm = typeof body === "string" && headers["content-type"]?.startsWith(formType) === true;
    const outcome: Outcome =
      pageActs && isForm && foreignOrigin(headers) === null ? takeForm(body, token, view(), actions) : "DENY";
    return reply.redirect(`${config.path};st=${outcome}`, 303);
  });
  // Fastify closes only a server that it opened itself.
  app.addHook("onClose", async ({ server }) => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  await app.ready();
  return app;
}

/**
 * Listens on `descriptor`, a bound socket of the main thread's that this server owns from now on. Resolves with
 * its address. Throws LbError (LB_ADMIN).
 */
export async function listenAdmin(app: FastifyInstance, descriptor: number): Promise<AddressInfo | null> {
  try {
    await new Promise<void>((resolve, reject) => {
      app.server.once("error", reject);
      app.server.listen({ fd: descriptor }, () => {
        app.server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LbError(
      "LB_ADMIN",
      `cannot serve the stats page: ${reason}`,
      "choose another address with --admin",
      { cause: error },
    );
  }
  const address = app.server.address();
  return typeof address === "object" ? address : null;
}

const explanations: Readonly<Record<number, string>> = {
  401: "You need a valid user and password to access this content.",
  429: "Too many wrong passwords came from your address. Wait a minute.",
  404: "There is nothing here. The statistics are one path up from the root.",
};

function explain(reply: FastifyReply, status: number): FastifyReply {
  const text = explanations[status] ?? "The request could not be answered.";
  return reply.code(status).type("text/plain; charset=utf-8").send(`${status} ${text}\n`);
}
