/** What an operator has made of a frontend: `disabled` can be enabled again, `stopped` cannot. */
export type FrontendState = "open" | "disabled" | "stopped";

const states: readonly FrontendState[] = ["open", "disabled", "stopped"];

/** −1: as the configuration has it. */
const Cell = { maxconn: 0, state: 1 } as const;
const frontendCells = 2;

/**
 * What operators say of clients at run time, in one SharedArrayBuffer of int32 cells: written by the control thread, read by
 * the data threads where a client is accepted. HAProxy's `set maxconn global|frontend` and `disable frontend`.
 */
export class OperatorLimits {
  readonly buffer: SharedArrayBuffer;
  private readonly cells: Int32Array;

  /** Without `buffer` nobody has said anything. */
  constructor(
    readonly proxies: readonly { readonly name: string; readonly maxconn: number | null }[],
    buffer?: SharedArrayBuffer,
  ) {
    this.buffer = buffer ?? new SharedArrayBuffer((1 + proxies.length * frontendCells) * 4);
    this.cells = new Int32Array(this.buffer);
    if (buffer !== undefined) return;
    this.setMaxconn(null);
    for (const proxy of proxies.keys()) this.setFrontendMaxconn(proxy, null);
  }

  /** Clients of all proxies together; −1: nobody has said. */
  maxconn(): number {
    return this.cells[0];
  }

  setMaxconn(maxconn: number | null): void {
    Atomics.store(this.cells, 0, maxconn ?? -1);
  }

  /** 0: no limit of its own; −1: nobody has said. */
  frontendMaxconn(proxy: number): number {
    return this.cells[this.cell(proxy) + Cell.maxconn];
  }

  setFrontendMaxconn(proxy: number, maxconn: number | null): void {
    Atomics.store(this.cells, this.cell(proxy) + Cell.maxconn, maxconn ?? -1);
  }

  frontendState(proxy: number): FrontendState {
    return states[this.cells[this.cell(proxy) + Cell.state]] ?? "open";
  }

  isOpen(proxy: number): boolean {
    return this.cells[this.cell(proxy) + Cell.state] === 0;
  }

  setFrontendState(proxy: number, state: FrontendState): void {
    Atomics.store(this.cells, this.cell(proxy) + Cell.state, states.indexOf(state));
  }

  /**
   * Takes over what was said of another configuration's frontends: a limit while the file says the same of it, and that one is
   * disabled. One that was stopped is there again.
   */
  takeOver(other: OperatorLimits, isSameMaxconn: boolean): void {
    if (isSameMaxconn && other.maxconn() >= 0) this.setMaxconn(other.maxconn());
    for (const [proxy, { name, maxconn }] of this.proxies.entries()) {
      const from = other.proxies.findIndex((candidate) => candidate.name === name);
      if (from < 0) continue;
      if (other.proxies[from].maxconn === maxconn && other.frontendMaxconn(from) >= 0)
        this.setFrontendMaxconn(proxy, other.frontendMaxconn(from));
      if (other.frontendState(from) === "disabled") this.setFrontendState(proxy, "disabled");
    }
  }

  private cell(proxy: number): number {
    return 1 + proxy * frontendCells;
  }
}
