import type { Link } from "../link.js";
import type { SimulatedMachine } from "../machine.js";
import type { SimulatedRouter } from "../router.js";
import type { VirtualLan } from "../virtual-lan.js";
import { Watcher } from "../watcher.js";

/** What the world of a simulation promises; the laws' bounds are made of it. In ms but for `drift`. */
export interface Bounds {
  /** One way on a link that is in order. */
  readonly delayMs: number;
  /** A timer is served at most so late. */
  readonly lateMs: number;
  /** The kernel adds or removes addresses within this. */
  readonly kernelMs: number;
  /** A lease that has run out is taken away within this. */
  readonly leaseSlackMs: number;
  /** A clock gains or loses at most this share: 0.01 is 1 %. */
  readonly drift: number;
}

export interface Violation {
  /** Name of the law, as in docs/vrrp.md. */
  readonly law: string;
  readonly atMs: number;
  readonly what: string;
}

/** What the laws share: the world, its bounds, and where to report. Two happenings within this are one instant. */
export const instantMs = 0.01;

/** Who removes an address again and again sees it back after so long (`putBackGapMs` of the state machine). */
export const putBackMs = 100;

export abstract class Law extends Watcher {
  constructor(
    protected readonly lan: VirtualLan,
    protected readonly bounds: Bounds,
    private readonly report: (violation: Violation) => void,
  ) {
    super();
  }

  /** At the end of a history: what is left to judge. */
  finish(): void {}

  protected violated(law: string, what: string): void {
    this.report({ law, atMs: this.lan.nowMs, what });
  }

  /** An upper bound in true time for a span on anybody's clock, with a timer at its end. */
  protected slowMs(localMs: number): number {
    return localMs * (1 + 2 * this.bounds.drift) + this.bounds.lateMs + instantMs;
  }

  protected isGood(link: Link): boolean {
    return (
      link.cuts === 0 &&
      link.loss === 0 &&
      link.detours === 0 &&
      link.latencyMs + link.jitterMs <= this.bounds.delayMs
    );
  }

  /** What `from` sends now, `to` hears and accepts within the delay. */
  protected getsThrough(from: SimulatedRouter, to: SimulatedRouter): boolean {
    return (
      from.machine.cableIn &&
      to.machine.cableIn &&
      areCompatible(from, to) &&
      this.isGood(this.lan.link(from.machine, to.machine))
    );
  }

  protected routers(): readonly SimulatedRouter[] {
    return this.lan.routers;
  }
}

/** Neither master nor backup. */
export function isOut(name: string): boolean {
  return name === "INIT" || name === "FAULT";
}

/** Whether the standard lets the two accept each other's adverts: VRRPv2 wants the same interval and password. */
export function areCompatible(one: SimulatedRouter, other: SimulatedRouter): boolean {
  return (
    one.config.virtualRouterId === other.config.virtualRouterId &&
    one.config.version === other.config.version &&
    (one.config.version === 3 ||
      (one.config.advertIntervalCs === other.config.advertIntervalCs &&
        passwordOf(one) === passwordOf(other)))
  );
}

function passwordOf({ config }: SimulatedRouter): string | null {
  return config.authentication.type === "pass" ? config.authentication.password : null;
}

/** `a`, or `a/52` where there are several routers on a machine. */
export function nameOf({ machine, config }: SimulatedRouter): string {
  const { routers } = machine;
  return routers.length === 1 ? labelOf(machine) : `${labelOf(machine)}/${config.virtualRouterId}`;
}

/** `a`, `b`, … in the order of joining. */
export function labelOf(machine: SimulatedMachine): string {
  return String.fromCharCode(97 + machine.index);
}
