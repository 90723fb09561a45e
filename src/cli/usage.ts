import type { ParseArgsConfig } from "node:util";

export const commands = ["run", "check", "status", "drain", "version", "help"] as const;
export type Command = (typeof commands)[number];

/** Every flag, for node:util's parseArgs. The texts are read by the configuration, which knows what is right. */
export const options = {
  config: { type: "string" },
  priority: { type: "string" },
  interface: { type: "string" },
  vrid: { type: "string" },
  vip: { type: "string", multiple: true },
  "peer-key": { type: "string" },
  listen: { type: "string", multiple: true },
  backend: { type: "string", multiple: true },
  admin: { type: "string" },
  "stats-socket": { type: "string" },
  engine: { type: "string" },
  threads: { type: "string" },
  "no-vrrp": { type: "boolean" },
  "no-proxy": { type: "boolean" },
  print: { type: "boolean" },
  json: { type: "boolean" },
  undo: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const satisfies NonNullable<ParseArgsConfig["options"]>;

export const usageLine =
  "usage: lb [run|check|status|drain|version|help] [--config FILE] [flags]; lb help lists them";

export const helpText = `lb makes two machines one dependable HTTP address: VRRP like keepalived's, HTTP balancing like HAProxy's.

usage: lb [run] [flags]     run in the foreground, log JSON lines to stdout
       lb check [flags]     read the configuration, say ok or everything that is wrong with it
       lb status [--json]   say who is master and why, and what would happen if this node stopped
       lb drain [--undo]    hand mastership over and stay backup until --undo or a restart
       lb version           show the version
       lb help              show this

The configuration is the file of --config, else of $LB_CONFIG, else /etc/lb/lb.yaml, else a built-in demo
(192.168.33.84 on eth1 in front of 192.168.33.68 and 192.168.33.69). Flags override the file.

  --config FILE             the configuration file
  --priority N              VRRP priority of this node, 1 to 255; the higher one is master
  --interface IF            the interface of the adverts and the address
  --vrid N                  virtual router id, 1 to 255, the same on both nodes
  --vip ADDR/LEN            virtual address; may be repeated
  --peer-key SECRET         the peer link's key, the same on both nodes (a file's is not seen in ps: peer_link: key_file:)
  --listen [ADDR]:PORT      where the proxy http listens; may be repeated
  --backend [NAME=]HOST:PORT  a server of the proxy http; may be repeated
  --admin ADDR:PORT         the stats page's address, or IF:PORT, or off
  --stats-socket PATH       HAProxy's stats socket, or off
  --engine ENGINE           how bytes move: auto, direct or portable
  --threads N               data threads, 1 to 64; one per core if left out
  --no-vrrp                 a plain balancer
  --no-proxy                a plain VRRP daemon
  --json                    with status: as JSON
  --undo                    with drain: this node may be master again
  --print                   with check: show the whole configuration, passwords hidden

Signals: SIGTERM hands over and stops, a second one stops at once; SIGHUP checks the file and
reloads it (VRRP instances keep what they have until a restart);
SIGUSR1 writes the state to the log. Exit codes: 0 ok, 1 fatal, 2 configuration or usage,
4 permission, 6 no configuration, 70 internal error. LB_LOG_LEVEL sets the log's level.
`;
