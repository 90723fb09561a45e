import type { AgentConfig, ServerConfig } from "../../config/server-config.js";
import type { AgentAnswer, AgentProbe, AgentTarget } from "./agent-probe.js";
import type { Checker } from "./checker.js";
import type { ServerTable } from "./server-table.js";

export interface AgentCheckerOptions {
  readonly proxies: readonly { readonly servers: readonly ServerConfig[] }[];
  readonly table: ServerTable;
  /** Process-wide monotonic clock, ms. */
  readonly now: () => number;
  /** Calls once, later; returns what calls it off. */
  readonly schedule: (delayMs: number, run: () => void) => () => void;
  readonly ask: (target: AgentTarget) => AgentProbe;
  readonly checker: Pick<Checker, "take" | "setState">;
}

/** One agent. */
interface Asked {
  readonly proxy: number;
  readonly server: number;
  readonly config: AgentConfig;
  readonly initialWeight: number;
  /** Operators may change it. */
  target: AgentTarget;
  lastAnswer: string;
  probe: AgentProbe | null;
  cancelNext: (() => void) | null;
}

const reason = "its agent asked for it";

/**
 * Asks the servers' agents, each at its own interval, and has what they say done: HAProxy's order is the administrative
 * state first, then weight and maxconn, then health. Agents are asked in maintenance, too: they may end it.
 */
export class AgentChecker {
  private readonly asked = new Map<string, Asked>();
  private isStopped = false;

  constructor(private readonly options: AgentCheckerOptions) {
    for (const [proxy, { servers }] of options.proxies.entries()) {
      for (const [server, { agent: config, host, weight = 1 }] of servers.entries()) {
        if (config === undefined) continue;
        this.asked.set(key(proxy, server), {
          proxy,
          server,
          config,
          initialWeight: weight,
          target: {
            host: config.host ?? host,
            port: config.port,
            send: config.send ?? "",
            timeoutMs: config.timeoutMs,
          },
          lastAnswer: "",
          probe: null,
          cancelNext: null,
        });
      }
    }
  }

  start(): void {
    for (const asked of this.asked.values()) {
      this.options.table.noteAsking(asked.proxy, asked.server, false);
      if (this.isEnabled(asked)) this.ask(asked);
    }
  }

  stop(): void {
    this.isStopped = true;
    for (const asked of this.asked.values()) this.rest(asked);
  }

  /** The column `last_agt`. */
  lastAnswer(proxy: number, server: number): string {
    return this.asked.get(key(proxy, server))?.lastAnswer ?? "";
  }

  /** Where it is asked now; null: the server has no agent. */
  target(proxy: number, server: number): AgentTarget | null {
    return this.asked.get(key(proxy, server))?.target ?? null;
  }

  /** `enable agent`, `disable agent`. */
  setEnabled(proxy: number, server: number, isEnabled: boolean): void {
    const asked = this.asked.get(key(proxy, server));
    if (asked === undefined || this.isEnabled(asked) === isEnabled) return;
    this.options.checker.take(proxy, server, { kind: "agent-enabled", isEnabled });
    this.rest(asked);
    if (isEnabled) this.ask(asked);
  }

  /** An operator knows better, until the agent says something again. */
  setHealth(proxy: number, server: number, isUp: boolean): void {
    this.options.checker.take(proxy, server, { kind: "agent-health", isUp });
  }

  /** From its next question on. */
  setTarget(proxy: number, server: number, change: Partial<AgentTarget>): void {
    const asked = this.asked.get(key(proxy, server));
    if (asked !== undefined) asked.target = { ...asked.target, ...change };
  }

  private isEnabled({ proxy, server }: Asked): boolean {
    return this.options.table.read(proxy, server).agent?.isEnabled === true;
  }

  private rest(asked: Asked): void {
    asked.probe?.cancel();
    asked.probe = null;
    asked.cancelNext?.();
    asked.cancelNext = null;
    this.options.table.noteAsking(asked.proxy, asked.server, false);
  }

  private ask(asked: Asked): void {
    const { table, now, schedule, ask } = this.options;
    const startedMs = now();
    const running = ask(asked.target);
    asked.probe = running;
    asked.cancelNext = null;
    table.noteAsking(asked.proxy, asked.server, true);
    void running.result.then((answer) => {
      if (this.isStopped || asked.probe !== running) return;
      asked.probe = null;
      table.noteAsking(asked.proxy, asked.server, false);
      this.takeAnswer(asked, answer);
      const nextMs = startedMs + asked.config.intervalMs;
      asked.cancelNext = schedule(Math.max(0, nextMs - now()), () => this.ask(asked));
    });
  }

  private takeAnswer(asked: Asked, answer: AgentAnswer): void {
    const { checker, table } = this.options;
    const { proxy, server, initialWeight } = asked;
    const { admin, weightPercent, maxconn } = answer;
    asked.lastAnswer = answer.detail;
    const before = table.read(proxy, server);
    if (admin !== null && admin !== before.admin) checker.setState(proxy, server, admin, reason);
    if (weightPercent !== null) {
      const weight = Math.min(256, Math.floor((initialWeight * weightPercent) / 100));
      if (weight !== before.weight) checker.take(proxy, server, { kind: "weight", weight });
    }
    if (maxconn !== null && maxconn !== before.maxconn)
      checker.take(proxy, server, { kind: "maxconn", maxconn });
    checker.take(proxy, server, { kind: "agent", result: answer });
  }
}

function key(proxy: number, server: number): string {
  return `${proxy}/${server}`;
}
