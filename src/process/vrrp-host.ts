import type { Config } from "../config/config.js";
import type { VrrpEvent } from "../vrrp/event.js";
import { stillstandLimitMs, type VrrpLegacy } from "../vrrp/legacy.js";
import type { Speaker } from "../vrrp/speaker.js";
import type { MoveObserver, PeerLinkSettings, ServerReports } from "../vrrp/speaker-peers.js";
import type { OutsideFacts } from "../vrrp/speaker-tracking.js";
import type { VrrpStatus } from "../vrrp/status.js";
import type { Log } from "./log.js";
import { PeerSecret } from "./peer-key.js";

/** How often the others hear of VRRP without a transition. */
const statusEveryMs = 1000;
/** Until a successor that does not take over is gone, and this process goes on. */
const comeBackMs = 2000;
/** What the log says of the same configuration once. */
const mostAdvice = 100;

export interface VrrpHostOptions {
  readonly log: Log;
  readonly moves: MoveObserver;
  readonly reports: ServerReports;
  facts(): OutsideFacts;
  onStatus(statuses: readonly VrrpStatus[]): void;
  /** `config`: the one that knows whom the event is about. */
  onEvent(event: VrrpEvent, config: Config): void;
  onDatagram(direction: "sent" | "received", on: string, datagram: Uint8Array): void;
}

/** What a reload may need opened before anything changes. */
export interface OpenedVrrp {
  readonly speaker: Speaker | null;
  readonly secret: PeerSecret;
}

/** The VRRP router of the process, if its configuration has one: opened, reloaded, closed and left to a successor. */
export class VrrpHost {
  private readonly options: VrrpHostOptions;
  private config: Config;
  private speaker: Speaker | null = null;
  private isFrozen = false;
  private secret = PeerSecret.none;
  /** During a reload: who is gone from the present configuration is told of by the one before. */
  private configBefore: Config | null = null;
  private statusTimer: NodeJS.Timeout | null = null;
  /** Advice that the log has given. */
  private readonly advised = new Set<string>();

  constructor(config: Config, options: VrrpHostOptions) {
    this.config = config;
    this.options = options;
  }

  /** It stands still for a successor. */
  get standsStill(): boolean {
    return this.isFrozen;
  }

  get isThere(): boolean {
    return this.speaker !== null;
  }

  /** Connections are still served here whose address another node has. */
  get lingers(): boolean {
    return this.speaker?.lingers ?? false;
  }

  status(): readonly VrrpStatus[] {
    return this.speaker?.status() ?? [];
  }

  /**
   * At the start: reads the secret and opens the sockets; nothing is sent. `follows`: another process speaks still, and has
   * the peer link's port. Throws LbError LB_PEER_KEY, LB_PERMISSION, LB_NETLINK_*.
   */
  async open(follows: boolean): Promise<OpenedVrrp> {
    const secret = this.secret.readAgain(this.config);
    const speaker = await this.openSpeaker(this.config, follows ? null : secret.settings(this.config));
    return { speaker, secret };
  }

  /** Begins, or goes on from what another process has left. */
  use({ speaker, secret }: OpenedVrrp, legacy: VrrpLegacy | null = null): void {
    this.secret = secret;
    if (speaker === null) return;
    this.speaker = speaker;
    speaker.setFacts(this.options.facts());
    if (legacy === null) speaker.start();
    else speaker.resume(legacy);
    this.statusTimer = setInterval(() => this.tell(speaker.status()), statusEveryMs);
    this.tell(speaker.status());
  }

  /** After `use` with a legacy: the port is free now. */
  async link(legacy: VrrpLegacy): Promise<void> {
    const link = this.secret.settings(this.config);
    if (link !== null) await this.speaker?.openPeerLink(link, legacy);
  }

  /** Another secret in the key_file that is the same. Throws LbError LB_PEER_KEY. */
  hasNewSecret(config: Config): boolean {
    return this.secret.readAgain(config) !== this.secret;
  }

  /** Of a reload, what can fail. Throws as `open`. */
  async prepare(config: Config, isOtherLink: boolean): Promise<OpenedVrrp> {
    const secret = isOtherLink ? this.secret.readAgain(config) : this.secret;
    const speaker = this.speaker === null ? await this.openSpeaker(config, secret.settings(config)) : null;
    return { speaker, secret };
  }

  /** Never rejects for what the kernel refuses. */
  async reload(config: Config, opened: OpenedVrrp): Promise<void> {
    this.configBefore = this.config;
    this.config = config;
    if (opened.speaker !== null) {
      this.use(opened);
    } else {
      this.secret = opened.secret;
      this.speaker?.setFacts(this.options.facts());
      await this.speaker?.reload(
        { instances: config.vrrp, groups: config.syncGroups },
        opened.secret.settings(config),
      );
    }
    this.configBefore = null;
  }

  setFacts(facts: OutsideFacts): void {
    this.speaker?.setFacts(facts);
  }

  async handOver(unassisted: () => void): Promise<void> {
    if (this.speaker === null) unassisted();
    else await this.speaker.handOver(unassisted);
  }

  /** Whether somebody looks at this node's dashboard has changed. */
  tellWatching(): void {
    this.speaker?.tellWatching();
  }

  /** This node's servers, to the partners at whose dashboard somebody looks. */
  tellServers(report: string): void {
    this.speaker?.tellServers(report);
  }

  async drain(): Promise<void> {
    await this.speaker?.drain();
  }

  undrain(): void {
    this.speaker?.undrain();
  }

  /** Releases every address at once and closes. */
  async stop(): Promise<void> {
    await this.speaker?.stop();
  }

  /** Why no other process can take over now; null: one can. */
  get cannotBeFollowed(): string | null {
    return this.speaker?.cannotBeFollowed ?? null;
  }

  get stillstandLimitMs(): number {
    return stillstandLimitMs(this.config.vrrp);
  }

  /** Stands still for a successor; null: there is nothing to take over. `thaw` or `leaveBehind` must follow. */
  async freeze(): Promise<VrrpLegacy | null> {
    this.isFrozen = true;
    return (await this.speaker?.freeze(this.stillstandLimitMs + comeBackMs)) ?? null;
  }

  async thaw(): Promise<void> {
    this.isFrozen = false;
    await this.speaker?.thaw(this.secret.settings(this.config));
  }

  /** A successor speaks now. */
  async leaveBehind(): Promise<void> {
    const { speaker } = this;
    this.speaker = null;
    this.isFrozen = false;
    clearInterval(this.statusTimer ?? undefined);
    await speaker?.leaveBehind();
  }

  private async openSpeaker(config: Config, peerLink: PeerLinkSettings | null): Promise<Speaker | null> {
    if (config.vrrp.length === 0) return null;
    // Only now: a plain balancer runs without the raw socket's native module.
    const { Speaker } = await import("../vrrp/speaker.js");
    const { log, moves, reports, onDatagram } = this.options;
    return Speaker.open(config.vrrp, config.syncGroups, {
      log,
      peerLink,
      moves,
      reports,
      onStatus: (statuses) => this.tell(statuses),
      onDatagram,
      onEvent: (event) => this.options.onEvent(event, this.configOf(event)),
    });
  }

  private configOf(event: VrrpEvent): Config {
    const { configBefore, config } = this;
    const isThere =
      event.kind === "group"
        ? config.syncGroups.some(({ name }) => name === event.group)
        : config.vrrp.some(({ name }) => name === event.instance);
    return isThere || configBefore === null ? config : configBefore;
  }

  private tell(statuses: readonly VrrpStatus[]): void {
    this.options.onStatus(statuses);
    this.advise(statuses.flatMap(({ advice }) => advice));
  }

  /** Once each: the status shows it for as long as it holds. */
  private advise(advice: readonly string[]): void {
    for (const sentence of advice) {
      if (this.advised.has(sentence) || this.advised.size >= mostAdvice) continue;
      this.advised.add(sentence);
      this.options.log.warn({ event: "advice" }, sentence);
    }
  }
}
