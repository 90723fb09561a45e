import Type from "typebox";
import { agentCheckSchema } from "./agent-section.js";
import { closed, milliseconds, plainText, text, truth, whole } from "./schema-words.js";

/** The shapes of a proxy's servers and of what checks them. */

const checkMapping = Type.Object(
  {
    inter: milliseconds("Between two checks. Default 2s."),
    fastinter: milliseconds("While a server is on its way up or down. Default: inter."),
    downinter: milliseconds("While it is down. Default: inter."),
    rise: whole(1, 1000, "Successes in a row that make it up. Default 2."),
    fall: whole(1, 1000, "Failures in a row that make it down. Default 3."),
    port: whole(1, 65_535, "Port that is checked. Default: the server's own."),
    timeout: milliseconds("For a whole check. Default: inter, at most timeout: connect."),
    send_proxy: truth(
      "Checks begin with a PROXY header. Default: as send_proxy and send_proxy_v2, unless port is there.",
    ),
    ssl: truth("Checks speak TLS. Default: as ssl of the server, unless port is there."),
    observe: Type.Optional(
      Type.Enum(["layer4", "layer7", "none"], {
        title: "layer4, layer7 or none",
        description: "What requests say counts too: connections (layer4), or answers (layer7). Default none.",
      }),
    ),
    error_limit: whole(1, 1_000_000, "Errors of requests in a row that on_error is about. Default 10."),
    on_error: Type.Optional(
      Type.Enum(["fastinter", "fail-check", "sudden-death", "mark-down"], {
        title: "fastinter, fail-check, sudden-death or mark-down",
        description:
          "What they do: check sooner, count as a failed check, as the last but one, or take it down. Default fail-check.",
      }),
    ),
  },
  { ...closed, title: "true, false, or a mapping such as { inter: 2s, rise: 2, fall: 3 }" },
);

const serverWords = {
  weight: whole(0, 256, "Its share beside the others. Default 1; 0: it gets no request."),
  backup: truth("Serves when no other is up. Default false."),
  disabled: truth("In maintenance from the start. Default false."),
  slowstart: milliseconds("How long a server that comes up takes to its full weight. Default 0."),
  send_proxy: truth("Connections begin with a PROXY header, version 1. Default false."),
  send_proxy_v2: truth("The same, version 2. Default false."),
  maxconn: whole(1, 10_000_000, "Requests at once; further ones wait in a queue. Default: no limit."),
  maxqueue: whole(
    1,
    10_000_000,
    "Clients of its own that wait for it; further ones go to others. Default: no limit.",
  ),
  cookie: plainText("a cookie's value", "Its value of the backend's cookie: clients that have it come here."),
  ssl: truth("Connections speak TLS. Default false."),
  verify: Type.Optional(
    Type.Enum(["required", "none"], {
      title: "required or none",
      description: "Whether its certificate has to be good. Default required.",
    }),
  ),
  ca_file: text("a PEM file", "Who may sign its certificate. Default: Node's own list."),
  sni: text("a host name", "The name asked for, which its certificate has to have. Default: its host name."),
  crt: text("a PEM file", "This side's certificate and key. Default: none."),
  check: Type.Optional(
    Type.Union([Type.Boolean(), checkMapping], {
      title: "true, false, or a mapping such as { inter: 2s, rise: 2, fall: 3 }",
      description: "Whether its health is checked, and how. Default false.",
    }),
  ),
  agent_check: Type.Optional(agentCheckSchema),
  on_marked_down: Type.Optional(
    Type.Enum(["shutdown-sessions"], {
      title: "shutdown-sessions",
      description: "Its sessions are cut when it goes down or into maintenance. Default: they go on.",
    }),
  ),
  on_marked_up: Type.Optional(
    Type.Enum(["shutdown-backup-sessions"], {
      title: "shutdown-backup-sessions",
      description: "Sessions at backup servers are cut when it takes requests again. Default: they go on.",
    }),
  ),
};

export const defaultServerSchema = Type.Object(serverWords, {
  ...closed,
  title: "a mapping such as { check: true, weight: 10 }",
  description: "What servers have that do not say otherwise.",
});

export const serverSchema = Type.Union(
  [
    Type.String({ title: "an address such as 192.168.33.68:80" }),
    Type.Object(
      { address: text("an address such as 192.168.33.68:80", "Where it is reached."), ...serverWords },
      { ...closed, title: "a mapping with address" },
    ),
  ],
  { title: "an address such as 192.168.33.68:80, or a mapping with address" },
);

export const httpCheckSchema = Type.Object(
  {
    method: text("a method such as GET", "Default OPTIONS."),
    uri: text("a path such as /health", "Default /."),
    host: plainText("a host name", "Value of Host. Default: the server's address."),
    expect: Type.Optional(
      Type.Object(
        {
          status: Type.Optional(
            Type.Union([Type.Integer({ minimum: 100, maximum: 599 }), Type.String({ minLength: 1 })], {
              title: "a status, or statuses such as 200-299,301",
              description: "Statuses of a healthy server. Default 200-399.",
            }),
          ),
          string: plainText("a text", "What the body of a healthy server's answer holds."),
        },
        { ...closed, title: "a mapping with status or string" },
      ),
    ),
  },
  {
    ...closed,
    title: "a mapping such as { uri: /health, expect: { status: 200 } }",
    description: "Checks by an HTTP request. Left out: by a connection alone.",
  },
);

export type ServerShape = Type.Static<typeof serverSchema>;
export type ServerWordsShape = Type.Static<typeof defaultServerSchema>;
export type HttpCheckShape = Type.Static<typeof httpCheckSchema>;
