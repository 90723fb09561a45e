import Type from "typebox";
import { closed, plainText, text } from "./schema-words.js";

/** The shapes of `admin:` and `stats_socket:`, where an operator comes in. */

export const adminSchema = Type.Object(
  {
    bind: text(
      "an address such as eth1:80 or 127.0.0.1:8404",
      "Where the stats page is. An interface's name: its own first IPv4 address.",
    ),
    stats: Type.Optional(
      Type.Object(
        {
          uri: text("a path such as /stats", "Path of the stats page. Default /stats."),
          user: plainText("a user's name", "Default admin."),
          password: plainText("a password", "Default supersecret, with a warning."),
          admin: Type.Optional(
            Type.Boolean({
              title: "true or false",
              description:
                "The stats page changes states of servers too, HAProxy's `stats admin if TRUE`; not with the default password. Default false.",
            }),
          ),
        },
        { ...closed, title: "a mapping with uri, user, password and admin" },
      ),
    ),
  },
  { ...closed, title: "a mapping with bind and stats, or false" },
);

export const statsSocketSchema = Type.Object(
  {
    path: text("a path such as /run/lb/stats.sock", "Where the socket is. Default /run/lb/stats.sock."),
    level: Type.Optional(
      Type.Enum(["user", "operator", "admin"], {
        title: "user, operator or admin",
        description:
          "What who opens it may do: user reads, and not where servers are; operator reads everything; admin changes things too. Default admin.",
      }),
    ),
    mode: plainText("an octal mode such as 660", "Of the socket's file. Default 660."),
    user: plainText("a user's name", "Owner of the file. Default: the process's."),
    group: plainText("a group's name", "Group of the file. Default: the process's."),
  },
  { ...closed, title: "a mapping such as { path: /run/lb/stats.sock, level: operator }" },
);

export type StatsSocketShape = Type.Static<typeof statsSocketSchema>;
export type AdminShape = Type.Static<typeof adminSchema>;
