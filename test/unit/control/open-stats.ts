import type { StatsSocketConfig } from "../../../src/config/config.js";
import type { NodeView } from "../../../src/control/node-view.js";
import { StatsSocket, type StatsSocketLimits } from "../../../src/control/stats-socket.js";
import { duplicateDescriptor } from "../../../src/netlink/listening-socket.js";
import { StatsListener } from "../../../src/process/stats-listener.js";
import { makeView, noActions } from "./view.js";

export const limits: StatsSocketLimits = { idleTimeoutMs: 10_000, maxLineBytes: 256, maxClients: 32 };

/** A listening stats socket, as the main thread hands it to the control thread. */
export function listenAt(path: string, access: Partial<StatsSocketConfig> = {}) {
  const config = { path, isDefault: false, ...access };
  const listener = StatsListener.open(config);
  return { listener, config, descriptor: duplicateDescriptor(listener.descriptor) };
}

/** Opened and served. */
export async function openStats(
  path: string,
  {
    changes = {},
    access = {},
    view = () => makeView(),
  }: {
    changes?: Partial<StatsSocketLimits>;
    access?: Partial<StatsSocketConfig>;
    view?: () => NodeView;
  } = {},
): Promise<{ close(): Promise<void> }> {
  const { listener, descriptor, config } = listenAt(path, access);
  const all = { ...limits, ...changes };
  const socket = await StatsSocket.serve(descriptor, view, noActions, all, undefined, config.level);
  return {
    close: async () => {
      listener.close();
      await socket.close();
    },
  };
}
