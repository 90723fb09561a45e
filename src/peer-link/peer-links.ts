import { createServer, connect as dialSocket, type Server, type Socket } from "node:net";
import { compareIpLiterals } from "../netlink/ip-literal.js";
import { DropLog } from "../vrrp/drop-log.js";
import { type Ending, LinkConnection } from "./link-connection.js";
import type { PeerMessage, StateMessage } from "./message.js";
import {
  handlePartner,
  newPartner,
  type PartnerEffect,
  type PartnerInput,
  type PartnerState,
  partnerDeadlineMs,
} from "./partner.js";
import type { PeerLinkStatus } from "./status.js";

export interface PeerLinkLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface PeerLinksOptions {
  /** 32 bytes, from `stretchKey`. */
  readonly key: Uint8Array;
  readonly port: number;
  readonly log: PeerLinkLog;
  /** What this node says of itself to the partner at `address`. */
  describe(address: string): StateMessage;
  /** The partner's process is gone. */
  onDead(address: string): void;
  onMessage(address: string, message: PeerMessage): void;
  /** A link opened or ended. */
  onChange(address: string, isUp: boolean): void;
}

/** A partner, this node's address towards it, and the interface between them. */
export interface PeerRoute {
  readonly address: string;
  readonly local: string;
  readonly zone: string;
}

interface Partner {
  readonly address: string;
  /** This node's address towards it. */
  local: string;
  /** The interface between them: link-local addresses mean nothing without it. */
  zone: string;
  state: PartnerState;
  /** The one that counts; a second one is on trial until it is open. */
  link: LinkConnection | null;
  dialed: LinkConnection | null;
  timer: NodeJS.Timeout | null;
  said: StateMessage | null;
}

const stateEveryMs = 1000;
/** Connections that have not proved the key yet, together and from one address. */
const mostStrangers = 16;
const mostStrangersOfOne = 4;
const mostPartners = 16;
const listenAgainMs = 1000;
/** Two that dialed each other at the same time. */
const sameTimeMs = 5000;

/**
 * The peer links of this node: listens on its own addresses, dials the partners that it hears of, keeps one connection
 * with each. On the main thread: a message a second and partner, some 10 µs each.
 */
export class PeerLinks {
  readonly #options: PeerLinksOptions;
  readonly #servers = new Map<string, Server>();
  readonly #partners = new Map<string, Partner>();
  readonly #strangers = new Map<LinkConnection, string>();
  readonly #refusals = new Map<string, number>();
  readonly #refusalLog = new DropLog();
  readonly #beat: NodeJS.Timeout;
  #closed = false;

  constructor(options: PeerLinksOptions) {
    this.#options = options;
    this.#beat = setInterval(() => this.tellAll(), stateEveryMs);
  }

  /** Listens on this node's own address of the interface `zone`; one that is busy is tried again. Idempotent. */
  listenOn(address: string, zone: string): void {
    const host = zoned(address, zone);
    if (this.#closed || this.#servers.has(host)) return;
    const server = createServer((socket) => this.#accept(socket, address, zone));
    server.maxConnections = mostStrangers + mostPartners;
    this.#servers.set(host, server);
    let complained = false;
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (!complained) {
        const what = `the peer link cannot listen on ${address}:${this.#options.port}: ${error.code}`;
        this.#options.log.warn({ event: "peer-link", err: error }, `${what}; trying again`);
      }
      complained = true;
      setTimeout(() => this.#listen(server, host), listenAgainMs).unref();
    });
    this.#listen(server, host);
  }

  /** An advert came from `address` on the interface `zone`; dials it unless there is a link or it is too early for another attempt. */
  heard(address: string, local: string, zone: string): void {
    const partner = this.#partner(address, local, zone);
    if (partner !== null) this.#input(partner, { kind: "heard" });
  }

  send(address: string, message: PeerMessage): boolean {
    const link = this.#partners.get(address)?.link;
    if (link === undefined || link === null || !link.isOpen) return false;
    link.send(message);
    return true;
  }

  /** Tells every partner how this node stands. */
  tellAll(): void {
    for (const [address, { link }] of this.#partners) link?.send(this.#options.describe(address));
  }

  /** Somebody looks at the dashboard of a partner, and wants to see this node's servers. */
  get isWatched(): boolean {
    return [...this.#partners.values()].some(
      ({ link, said }) => link?.isOpen === true && said?.watches === true,
    );
  }

  /** To the partners that watch; `report` is a `ServerReport`'s text. */
  tellServers(report: string): void {
    for (const { link, said } of this.#partners.values())
      if (said?.watches === true) link?.sendIfIdle({ kind: "servers", report });
  }

  /** This node's address on the way to a partner. */
  localAddress(address: string): string | null {
    return this.#partners.get(address)?.local ?? null;
  }

  isUp(address: string): boolean {
    return this.#partners.get(address)?.state.phase === "up";
  }

  /** Being made: it may be up in a moment. */
  isDialing(address: string): boolean {
    return this.#partners.get(address)?.state.phase === "dialing";
  }

  /** What the partner said last, also when it is gone. */
  lastWord(address: string): StateMessage | null {
    return this.#partners.get(address)?.said ?? null;
  }

  /** Partners with an open link. */
  linked(): readonly { readonly address: string; readonly said: StateMessage | null }[] {
    return [...this.#partners.values()].filter(({ link }) => link?.isOpen === true);
  }

  /** How the partners with an open link are reached. */
  routes(): readonly PeerRoute[] {
    const open = [...this.#partners.values()].filter(({ link }) => link?.isOpen === true);
    return open.map(({ address, local, zone }) => ({ address, local, zone }));
  }

  status(): PeerLinkStatus {
    const epochOfMonotonic = Date.now() - performance.now();
    return {
      port: this.#options.port,
      partners: [...this.#partners.values()].map(({ address, state, said }) => ({
        address,
        node: said?.node ?? null,
        phase: state.phase,
        sinceEpochMs: Math.round(epochOfMonotonic + state.sinceMs),
        reason: state.reason,
        load: said?.load ?? null,
        routers: said?.routers ?? [],
      })),
      refusals: Object.fromEntries(this.#refusals),
    };
  }

  /** Says goodbye to every partner, so that nobody takes the end for a crash. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#beat);
    for (const server of this.#servers.values()) server.close();
    for (const link of this.#strangers.keys()) link.close();
    for (const { link, dialed, timer } of this.#partners.values()) {
      clearTimeout(timer ?? undefined);
      link?.send({ kind: "bye" });
      link?.close();
      if (dialed !== link) dialed?.close();
    }
  }

  #listen(server: Server, host: string): void {
    if (!this.#closed) server.listen({ host, port: this.#options.port, backlog: mostStrangers });
  }

  #accept(socket: Socket, local: string, zone: string): void {
    const address = plain(socket.remoteAddress);
    const ofOne = [...this.#strangers.values()].filter((other) => other === address).length;
    if (
      this.#closed ||
      address === "" ||
      this.#strangers.size >= mostStrangers ||
      ofOne >= mostStrangersOfOne
    ) {
      socket.on("error", () => {});
      socket.destroy();
      this.#countRefusal("too-many", address, "too many connections wait to prove the key");
      return;
    }
    const link = new LinkConnection(socket, "listener", this.#options.key, {
      onOpen: (opened) => {
        this.#strangers.delete(opened);
        const partner = this.#partner(address, local, zone);
        if (partner === null) opened.close();
        else this.#onOpen(partner, opened);
      },
      onMessage: (from, message) => this.#onMessage(address, from, message),
      onEnd: (ended, ending) => {
        this.#strangers.delete(ended);
        this.#onEnd(address, ended, ending);
      },
    });
    this.#strangers.set(link, address);
  }

  #dial(partner: Partner, timeoutMs: number): void {
    const { address, local, zone } = partner;
    const socket = dialSocket({
      host: zoned(address, zone),
      port: this.#options.port,
      localAddress: zoned(local, zone),
    });
    partner.dialed = new LinkConnection(
      socket,
      "dialer",
      this.#options.key,
      {
        onOpen: (opened) => this.#onOpen(partner, opened),
        onMessage: (from, message) => this.#onMessage(address, from, message),
        onEnd: (ended, ending) => this.#onEnd(address, ended, ending),
      },
      timeoutMs,
    );
  }

  #onOpen(partner: Partner, opened: LinkConnection): void {
    if (opened === partner.dialed) partner.dialed = null;
    const before = partner.link;
    if (before?.isOpen === true && !this.#prefers(partner, opened, before)) {
      opened.close();
      return;
    }
    partner.link = opened;
    // It may be another version by now: what it wants it says anew.
    if (partner.said !== null) partner.said = { ...partner.said, watches: false };
    before?.close();
    this.#input(partner, { kind: "opened" });
    opened.send(this.#options.describe(partner.address));
    this.#options.onChange(partner.address, true);
  }

  /** Both nodes must choose the same of two that crossed: the one that the higher address dialed. */
  #prefers(partner: Partner, later: LinkConnection, earlier: LinkConnection): boolean {
    const crossed = later.role !== earlier.role && later.openedMs - earlier.openedMs < sameTimeMs;
    if (!crossed) return true;
    return (later.role === "dialer") === compareIpLiterals(partner.local, partner.address) > 0;
  }

  #onMessage(address: string, from: LinkConnection, message: PeerMessage): void {
    const partner = this.#partners.get(address);
    if (partner === undefined || partner.link !== from) return;
    if (message.kind === "state") partner.said = message;
    if (message.kind === "bye") this.#input(partner, { kind: "goodbye" });
    this.#options.onMessage(address, message);
  }

  #onEnd(address: string, ended: LinkConnection, ending: Ending): void {
    if (this.#closed) return;
    const { refusal, sentence, byPeer, code } = ending;
    if (refusal !== null) this.#countRefusal(refusal, address, sentence);
    const partner = this.#partners.get(address);
    if (partner === undefined) return;
    if (ended === partner.link) {
      partner.link = null;
      this.#input(partner, { kind: "lost", byPeer, reason: sentence });
      this.#options.onChange(address, false);
    } else if (ended === partner.dialed) {
      partner.dialed = null;
      const outcome = code === "ECONNREFUSED" ? "refused" : byPeer ? "ended" : "other";
      const reason = outcome === "refused" ? `nothing listens on its port ${this.#options.port}` : sentence;
      this.#input(partner, { kind: "dial-failed", outcome, reason });
    }
  }

  #partner(address: string, local: string, zone: string): Partner | null {
    const known = this.#partners.get(address);
    if (known !== undefined) {
      known.local = local;
      known.zone = zone;
      return known;
    }
    if (this.#closed || (this.#partners.size >= mostPartners && !this.#forgetOne())) return null;
    const state = newPartner(performance.now());
    const idle = { link: null, dialed: null, timer: null, said: null };
    const partner: Partner = { address, local, zone, state, ...idle };
    this.#partners.set(address, partner);
    return partner;
  }

  /** Forged adverts fill no memory: whoever has no link gives way. */
  #forgetOne(): boolean {
    for (const [address, { state }] of this.#partners) {
      if (state.phase === "down") return this.#partners.delete(address);
    }
    return false;
  }

  #input(partner: Partner, input: PartnerInput): void {
    const step = handlePartner(partner.state, input, performance.now(), partner.address);
    partner.state = step.state;
    for (const effect of step.effects) this.#run(partner, effect);
    clearTimeout(partner.timer ?? undefined);
    const deadlineMs = partnerDeadlineMs(partner.state);
    partner.timer =
      deadlineMs === null
        ? null
        : setTimeout(
            () => this.#input(partner, { kind: "timer" }),
            Math.max(0, Math.ceil(deadlineMs - performance.now())),
          );
  }

  #run(partner: Partner, effect: PartnerEffect): void {
    switch (effect.kind) {
      case "dial":
        this.#dial(partner, effect.timeoutMs);
        break;
      case "dead":
        this.#options.onDead(partner.address);
        break;
      case "log":
        this.#options.log[effect.level]({ event: "peer-link", peer: partner.address }, effect.message);
        break;
    }
  }

  #countRefusal(reason: string, address: string, sentence: string): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
    const line = this.#refusalLog.note(reason, address, performance.now());
    if (line === null) return;
    const before = line.suppressed > 0 ? ` (and ${line.suppressed} more since the last line)` : "";
    this.#options.log.warn(
      { event: "peer-link-refused", peer: address, reason },
      `peer link with ${address} refused${before}: ${sentence}`,
    );
  }
}

/** As connect(2) and bind(2) need it. */
function zoned(address: string, zone: string): string {
  return /^fe[89ab]/i.test(address) ? `${address}%${zone}` : address;
}

/** Without the mapping of IPv4 and without the zone. */
function plain(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/, "").replace(/%.*$/, "");
}
