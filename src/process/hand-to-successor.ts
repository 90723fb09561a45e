import { version } from "../control/release.js";
import { LbError } from "../errors.js";
import type { FlightRecorder } from "../flight/recorder.js";
import type { InheritedSocket } from "../upgrade/message.js";
import { Successor } from "../upgrade/successor.js";
import type { ControlHost } from "./control-host.js";
import type { DataPlane } from "./data-plane.js";
import type { Log } from "./log.js";
import type { NodeWatch } from "./node-watch.js";
import type { VrrpHost } from "./vrrp-host.js";

/** What a successor takes over. */
export interface Inheritance {
  readonly log: Log;
  readonly node: string;
  readonly plane: DataPlane;
  readonly control: ControlHost;
  readonly watch: NodeWatch;
  readonly recorder: FlightRecorder;
  readonly vrrp: VrrpHost;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Why it shall not happen any more, or not now; null: it may. */
  obstacle(): string | null;
}

/**
 * Starts the program as it is on the disk now beside this process, and lets it take over: the listening sockets, which stay
 * the same sockets, and the virtual routers as they stand. Resolves when it has; it waits for `go`. Throws LbError LB_UPGRADE,
 * LB_UPGRADE_REFUSED: then it is gone, and this process serves as before.
 */
export async function handToSuccessor(inheritance: Inheritance): Promise<Successor> {
  const { log, node, plane, control, watch, recorder, vrrp, environment } = inheritance;
  assertPossible(inheritance);
  const sockets: InheritedSocket[] = [
    ...plane.sockets.map(({ address, port, descriptor }) => ({
      kind: "proxy" as const,
      address,
      port,
      descriptor,
    })),
    ...control.sockets(),
  ];
  const successor = Successor.start(
    {
      version,
      ticketKeys: plane.ticketKeys.toString("base64"),
      engine: plane.engine,
      counts: plane.counts(),
      states: plane.states(),
      facts: watch.known(),
      flight: recorder.toJson(node, Date.now()),
    },
    sockets,
    {
      execPath: process.execPath,
      words: [...process.execArgv, ...process.argv.slice(1)],
      environment,
    },
  );
  try {
    await successor.ready();
    assertPossible(inheritance);
  } catch (error) {
    await successor.end();
    throw error;
  }
  log.info(
    { event: "upgrade", successor: successor.pid, version: successor.version },
    "the new program is ready: it takes over",
  );
  const legacy = await vrrp.freeze();
  try {
    const taken = { counts: plane.counts(), states: plane.states(), vrrp: legacy };
    await successor.take(taken, vrrp.stillstandLimitMs);
  } catch (error) {
    await vrrp.thaw();
    throw error;
  }
  return successor;
}

function assertPossible({ vrrp, obstacle }: Inheritance): void {
  const reason = obstacle() ?? vrrp.cannotBeFollowed;
  if (reason !== null) throw new LbError("LB_UPGRADE", `no upgrade now: ${reason}`, "try again later");
}
