/** HAProxy's log, option httplog, tcplog, dontlognull, dontlog-normal: where a proxy's access log goes. */
export interface AccessLogConfig {
  readonly targets: readonly LogTarget[];
  readonly format: "json" | "httplog" | "tcplog";
  readonly facility: Facility;
  /** Connections on which nothing came are not logged. */
  readonly dontLogNull: boolean;
  /** Only what failed, was cut, retried or redispatched is logged. */
  readonly dontLogNormal: boolean;
}

export type LogTarget =
  | { readonly kind: "stdout" }
  | { readonly kind: "file"; readonly path: string }
  /** Syslog datagrams. */
  | { readonly kind: "udp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** RFC 3164 §4.1.1, in the order of their numbers; HAProxy's names. */
export const facilities = [
  "kern",
  "user",
  "mail",
  "daemon",
  "auth",
  "syslog",
  "lpr",
  "news",
  "uucp",
  "cron",
  "auth2",
  "ftp",
  "ntp",
  "audit",
  "alert",
  "cron2",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
] as const;
export type Facility = (typeof facilities)[number];
