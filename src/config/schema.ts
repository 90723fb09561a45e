import Type from "typebox";
import { adminSchema, statsSocketSchema } from "./admin-schema.js";
import { backendSchema, frontendSchema, proxySchema } from "./proxy-schema.js";
import { closed, named, oneOrMore, plainText, whole } from "./schema-words.js";
import {
  fitnessSchema,
  globalDefsSchema,
  scriptSchema,
  syncGroupSchema,
  trackFileSchema,
  trackProcessSchema,
} from "./tracking-schema.js";
import { peerLinkSchema, vrrpSchema } from "./vrrp-schema.js";

/**
 * The shape of `lb.yaml`, as JSON Schema. `title` says in an error message what was expected; `description` is the
 * documentation. Everything may be left out here: what must be there depends on the rest, and `load.ts` checks it.
 */

export const fileSchema = Type.Object(
  {
    include: oneOrMore(
      "a path such as conf.d/*.yaml",
      "Further files, beside this one if the path is relative; what they have joins what stands here, member by member.",
    ),
    node: plainText("a name", "Name of this node. Default: the host name."),
    vrrp: named(
      vrrpSchema,
      "a mapping of instances by name, such as VI_1",
      "Virtual addresses shared with the partner.",
    ),
    vrrp_script: named(scriptSchema, "a mapping of scripts by name", "Scripts that instances track."),
    vrrp_track_file: named(trackFileSchema, "a mapping of files by name", "Files that instances track."),
    vrrp_track_process: named(
      trackProcessSchema,
      "a mapping of processes by name",
      "Processes that instances track.",
    ),
    vrrp_sync_group: named(syncGroupSchema, "a mapping of groups by name", "Instances that go together."),
    fitness: Type.Optional(fitnessSchema),
    global_defs: Type.Optional(globalDefsSchema),
    peer_link: Type.Optional(peerLinkSchema),
    proxies: named(proxySchema, "a mapping of proxies by name, such as http", "HTTP and TCP balancers."),
    frontends: named(
      frontendSchema,
      "a mapping of frontends by name",
      "Where clients come in, apart from the servers.",
    ),
    backends: named(backendSchema, "a mapping of backends by name", "Servers that frontends share."),
    admin: Type.Optional(
      Type.Union([adminSchema, Type.Literal(false)], {
        title: "a mapping with bind and stats, or false",
        description: "The admin server. Left out: none.",
      }),
    ),
    stats_socket: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), statsSocketSchema, Type.Literal(false)], {
        title: "a path such as /run/lb/stats.sock, a mapping with path, or false",
        description: "HAProxy's stats socket. Default /run/lb/stats.sock.",
      }),
    ),
    maxconn: whole(1, 10_000_000, "Clients at once, of all proxies. Default: what the open files allow."),
    threads: whole(1, 64, "Data threads. Default: one per core."),
    engine: Type.Optional(
      Type.Enum(["auto", "direct", "portable"], {
        title: "auto, direct or portable",
        description: "How bytes move. Default auto.",
      }),
    ),
    drain_timeout: Type.Optional(
      Type.Union([Type.String(), Type.Number()], {
        title: "a time such as 30s",
        description:
          "How long a stop waits for what is in flight, after the addresses are handed over. Default 30s.",
      }),
    ),
  },
  { ...closed, title: "a mapping with vrrp, proxies and admin" },
);

export type FileShape = Type.Static<typeof fileSchema>;
