import type { InterfaceInfo, RouteSocket } from "../netlink/route-socket.js";
import { type BaseSettings, writeSetting } from "./speaker-base-settings.js";

/** RFC 9568 §7.3: 00-00-5E-00-01-{VRID} over IPv4, 00-00-5E-00-02-{VRID} over IPv6. */
function virtualRouterMac(virtualRouterId: number, family: 4 | 6): Uint8Array {
  return Uint8Array.of(0, 0, 0x5e, 0, family === 4 ? 1 : 2, virtualRouterId);
}

/**
 * The macvlan of one instance with `use_vmac`: made when its base interface is there, removed at the end.
 *
 * A client's ARP entry then stays right whoever is master. The base must not answer ARP for an address of the macvlan
 * with its own MAC (arp_ignore), and the macvlan must take packets whose sources the routes would expect elsewhere
 * (rp_filter, accept_local), as keepalived sets it.
 */
export class Vmac {
  readonly name: string;
  readonly #mac: Uint8Array;
  readonly #route: RouteSocket;
  readonly #settings: BaseSettings;
  #index: number | null = null;
  #base: string | null = null;

  constructor(
    name: string,
    virtualRouterId: number,
    family: 4 | 6,
    { route, settings }: { readonly route: RouteSocket; readonly settings: BaseSettings },
  ) {
    this.name = name;
    this.#mac = virtualRouterMac(virtualRouterId, family);
    this.#route = route;
    this.#settings = settings;
  }

  /**
   * The macvlan, made anew if it is missing or another interface's. Throws LbError LB_PERMISSION, LB_NETLINK_*, and
   * Error when an interface of that name is none of ours.
   */
  async ensure(base: InterfaceInfo): Promise<InterfaceInfo> {
    const there = await this.#route.interface(this.name);
    if (there?.up && there.index === this.#index) {
      return there;
    }
    if (there !== null && !sameBytes(there.mac, this.#mac)) {
      throw new Error(`${this.name} is there already and not a macvlan of virtual router ${this.#mac[5]}`);
    }
    if (there === null) {
      const link = { name: this.name, baseIndex: base.index, mac: this.#mac };
      await this.#route.makeMacvlan(link);
    }
    const made = await this.#found();
    this.#prepare(base.name);
    await this.#route.takeLinkUp(made.index);
    this.#index = made.index;
    return await this.#found();
  }

  /** Never rejects. */
  async remove(): Promise<void> {
    try {
      const there = await this.#route.interface(this.name);
      if (there !== null && sameBytes(there.mac, this.#mac)) {
        await this.#route.deleteLink(there.index);
      }
    } catch {
      // The process ends; the next one uses it again.
    }
    this.#index = null;
    if (this.#base !== null) {
      this.#settings.release(this.#base, this.name);
    }
    this.#base = null;
  }

  async #found(): Promise<InterfaceInfo> {
    const info = await this.#route.interface(this.name);
    if (info === null) throw new Error(`the macvlan ${this.name} vanished while it was made`);
    return info;
  }

  #prepare(baseName: string): void {
    // No address of its own: two nodes would make the same one of the same MAC.
    writeSetting(`ipv6/conf/${this.name}/addr_gen_mode`, "1");
    writeSetting(`ipv4/conf/${this.name}/arp_ignore`, "1");
    writeSetting(`ipv4/conf/${this.name}/rp_filter`, "0");
    writeSetting(`ipv4/conf/${this.name}/accept_local`, "1");
    this.#base = baseName;
    this.#settings.hold(baseName, this.name);
  }
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.every((byte, at) => byte === right[at]);
}
