import Type from "typebox";
import { facilities } from "./log-config.js";
import { closed, oneOrMore, truth } from "./schema-words.js";

/** The shape of a proxy's access log. */
export const accessLogSchema = Type.Union(
  [
    Type.Boolean(),
    Type.Object(
      {
        to: oneOrMore(
          "stdout, file:/var/log/lb.log, /dev/log or 127.0.0.1:514",
          "Where lines go: stdout, a file (reopened when it was moved away), or syslog over UDP or a Unix socket. Default stdout.",
        ),
        format: Type.Optional(
          Type.Enum(["json", "httplog", "tcplog"], {
            title: "json, httplog or tcplog",
            description: "JSON, or HAProxy's lines. Default json.",
          }),
        ),
        facility: Type.Optional(
          Type.Enum([...facilities], {
            title: "a facility such as local0",
            description: "Of syslog messages. Default local0.",
          }),
        ),
        dontlognull: truth("Connections on which nothing came are not logged. Default false."),
        dontlog_normal: truth("Only what failed, was cut, retried or redispatched is logged. Default false."),
      },
      closed,
    ),
  ],
  {
    title: "true, false, or a mapping such as { to: /dev/log, format: httplog }",
    description: "One line for each request. Default false: failed and cut ones alone, in the daemon's log.",
  },
);

export type AccessLogShape = Type.Static<typeof accessLogSchema>;
