import { changedPaths } from "../config/changes.js";
import type { VirtualRoute, VirtualRule } from "../config/config.js";
import type { RouteSocket } from "../netlink/route-socket.js";

/** What the keeper of routes needs of netlink. */
export interface RoutesPort {
  readonly route: Pick<RouteSocket, "interface" | "putRoute" | "removeRoute" | "putRule" | "removeRule">;
  onError(message: string, error: unknown): void;
}

interface RoutesAndRules {
  readonly routes: readonly VirtualRoute[];
  readonly rules: readonly VirtualRule[];
}

/**
 * Holds or releases the virtual routes and rules of one instance. Unlike addresses they have no lifetime in the
 * kernel: a killed process leaves them, and the next one that starts here as a backup removes them.
 */
export class RouteKeeper {
  #routes: readonly VirtualRoute[];
  #rules: readonly VirtualRule[];
  readonly #port: RoutesPort;
  #queue: Promise<void> = Promise.resolve();
  #holding = false;
  #putWaits = false;

  constructor(config: RoutesAndRules, port: RoutesPort) {
    this.#routes = config.routes;
    this.#rules = config.rules;
    this.#port = port;
  }

  /** Adds them after `addresses`, for some are only reachable through those; again, it puts back what is gone. */
  put(addresses: Promise<void>): void {
    if (this.#isEmpty || this.#putWaits) {
      return;
    }
    const isFirst = !this.#holding;
    this.#holding = true;
    this.#putWaits = true;
    this.#enqueue(async () => {
      await addresses;
      this.#putWaits = false;
      if (this.#holding) {
        await this.#putAll(isFirst);
      }
    });
  }

  remove(): void {
    this.#holding = false;
    if (!this.#isEmpty) {
      this.#enqueue(async () => {
        if (!this.#holding) {
          await this.#removeAll();
        }
      });
    }
  }

  /** A reload: what is gone is removed; `put` brings what is new. */
  change(config: RoutesAndRules): void {
    const routes = without(this.#routes, config.routes);
    const rules = without(this.#rules, config.rules);
    this.#routes = config.routes;
    this.#rules = config.rules;
    if (this.#holding && routes.length + rules.length > 0) {
      this.#enqueue(() => this.#removeThese({ routes, rules }));
    }
  }

  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void> {
    return this.#queue;
  }

  get #isEmpty(): boolean {
    return this.#routes.length + this.#rules.length === 0;
  }

  #enqueue(operation: () => Promise<void>): void {
    this.#queue = this.#queue.then(operation);
  }

  async #putAll(isFirst: boolean): Promise<void> {
    const wanted = ({ noTrack }: { readonly noTrack?: true }): boolean => isFirst || noTrack !== true;
    for (const route of this.#routes.filter(wanted)) {
      await this.#attempt("a virtual route could not be added", async () => {
        await this.#port.route.putRoute(await this.#resolve(route), isFirst);
      });
    }
    for (const rule of this.#rules.filter(wanted)) {
      await this.#attempt("a virtual rule could not be added", () => this.#port.route.putRule(rule));
    }
  }

  #removeAll(): Promise<void> {
    return this.#removeThese({ routes: this.#routes, rules: this.#rules });
  }

  async #removeThese({ routes, rules }: RoutesAndRules): Promise<void> {
    for (const rule of rules) {
      await this.#attempt("a virtual rule could not be removed", () => this.#port.route.removeRule(rule));
    }
    for (const route of routes) {
      await this.#attempt("a virtual route could not be removed", async () => {
        await this.#port.route.removeRoute(await this.#resolve(route));
      });
    }
  }

  async #resolve({
    interface: name,
    ...route
  }: VirtualRoute): Promise<Parameters<RouteSocket["putRoute"]>[0]> {
    if (name === undefined) {
      return route;
    }
    const info = await this.#port.route.interface(name);
    if (info === null) {
      throw new Error(`interface ${name} does not exist`);
    }
    return { ...route, index: info.index };
  }

  async #attempt(what: string, operation: () => Promise<void>): Promise<void> {
    try {
      await operation();
    } catch (error) {
      this.#port.onError(what, error);
    }
  }
}

function without<T extends object>(all: readonly T[], kept: readonly T[]): T[] {
  return all.filter((one) => !kept.some((other) => changedPaths(one, other).length === 0));
}
