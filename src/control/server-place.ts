import type { ServerConfig } from "../config/config.js";
import type { CommandAnswer } from "./commands.js";
import type { NodeView } from "./node-view.js";

/** The server that a command is about. */
export interface Place {
  readonly proxy: number;
  readonly server: number;
  readonly view: NodeView["backends"][number]["servers"][number];
  readonly initialWeight: number;
  readonly config: ServerConfig;
}

/** Finds the server that the first word, `backend/server`, names; HAProxy's answers where there is none. */
export function onServer(
  [name]: readonly string[],
  view: NodeView,
  run: (place: Place) => string,
): CommandAnswer {
  const slash = name?.indexOf("/") ?? -1;
  if (name === undefined || slash < 0) return text("Require 'backend/server'.\n");
  const proxy = findIndex(view.proxies, name.slice(0, slash));
  if (proxy < 0) return text("No such backend.\n");
  const { servers } = view.proxies[proxy];
  const server = findIndex(servers, name.slice(slash + 1));
  if (server < 0) return text("No such server.\n");
  return text(
    run({
      proxy,
      server,
      view: view.backends[proxy].servers[server],
      initialWeight: servers[server].weight ?? 1,
      config: servers[server],
    }),
  );
}

export function findIndex(items: readonly { readonly name: string }[], name: string): number {
  return items.findIndex((item) => item.name === name);
}

export function text(value: string): CommandAnswer {
  return { kind: "text", text: value };
}
