import type { VrrpInstanceConfig } from "../config/config.js";
import type { HmacMd5 } from "./authentication-header.js";
import type { DropReason } from "./drop.js";
import { type AdvertPacketV2, AuthType, passwordBytes } from "./packet-v2.js";
import type { AdvertPacketV3 } from "./packet-v3.js";

/** One virtual router that this node takes part in, as the checks need it. */
export interface LocalRouter {
  readonly config: VrrpInstanceConfig;
  /** This node's own address on the interface. */
  readonly ownAddress: string;
  /** Before a reload, and while the partner may still have it so: adverts that fit it count too. */
  readonly before?: VrrpInstanceConfig | null;
  /** For `auth_type AH`: the greatest sequence number sent or taken so far, and the hash. */
  readonly ah?: { readonly sequence: number; readonly hmacMd5: HmacMd5 };
}

/** With an authentication header: its number, and whether it is right for a router. */
export interface AuthenticatedArrival {
  readonly sequence: number;
  fits(local: LocalRouter): boolean;
}

/** A message in its version. */
export type Advert = (
  | { readonly version: 2; readonly packet: AdvertPacketV2 }
  | { readonly version: 3; readonly packet: AdvertPacketV3 }
) & { readonly ah: AuthenticatedArrival | null };

/** What a check says of an advert; null: nothing is wrong. */
interface Finding {
  readonly sentence: string;
  /** Taken into account all the same, and only logged. */
  readonly harmless?: boolean;
}

interface Check {
  readonly reason: DropReason;
  find(advert: Advert, source: string, local: LocalRouter): Finding | null;
}

const authNames = new Map<number, string>([
  [AuthType.none, "no authentication"],
  [AuthType.pass, "auth_type PASS"],
  [AuthType.ah, "auth_type AH"],
]);

export const untilThen = "until then both routers may be master";

/** What depends on this node's configuration, in the order of RFC 3768 §7.1 (the address list comes before the interval). */
export const configurationChecks: readonly Check[] = [
  {
    // Not in the RFC: a bridge loop, or another machine with our address. It must never win against ourselves.
    reason: "own-source",
    find: (_advert, source, local) =>
      source === local.ownAddress
        ? {
            sentence: `it comes from ${source}, this node's own address: look for a loop in the network or a second machine with that address`,
          }
        : null,
  },
  {
    reason: "auth-type",
    find: (advert, _source, { config }) => {
      const ours = AuthType[config.authentication.type];
      if (advert.version === 3) {
        return advert.ah === null ? null : { sentence: "VRRPv3 has no authentication header" };
      }
      const { authType } = advert.packet;
      if (authType === ours && (advert.ah !== null) === (ours === AuthType.ah)) {
        return null;
      }
      if (authType === ours) {
        return {
          sentence:
            "its auth_type and its authentication header contradict each other: it is forged or broken",
        };
      }
      const theirs = authNames.get(authType) ?? `authentication type ${authType}`;
      return {
        sentence: `it has ${theirs}, here is ${authNames.get(ours)}: set the same on both; ${untilThen}`,
      };
    },
  },
  {
    reason: "auth-data",
    find: (advert, _source, local) => {
      const { config } = local;
      if (advert.ah !== null) {
        return advert.ah.fits(local)
          ? null
          : {
              sentence: `its authentication header does not fit: set the same auth_pass on both (8 bytes count); ${untilThen}`,
            };
      }
      if (advert.version === 3 || config.authentication.type !== "pass") {
        return null;
      }
      const expected = passwordBytes(config.authentication.password);
      return advert.packet.authData.every((byte, at) => byte === expected[at])
        ? null
        : {
            sentence: `its password is not ours: set the same auth_pass on both (8 bytes count); ${untilThen}`,
          };
    },
  },
  {
    // As in keepalived: one counter for all of an instance's routers, which their adverts only ever raise.
    reason: "replay",
    find: ({ ah }, _source, local) =>
      ah === null || local.ah === undefined || ah.sequence > local.ah.sequence
        ? null
        : {
            sentence: `its sequence number ${ah.sequence} is not above ${local.ah.sequence}, the last one here: it is a replay, or its sender was restarted`,
          },
  },
  {
    // RFC 3768 §7.1: a mismatch is dropped, but the owner's list is believed. RFC 9568 §7.1 only logs it.
    reason: "address-list",
    find: ({ version, packet }, _source, { config }) => {
      const ours = config.addresses.map(({ address }) => address);
      const theirs = packet.addresses;
      const same = ours.every((a) => theirs.includes(a)) && theirs.every((a) => ours.includes(a));
      if (same || (version === 2 && packet.priority === 255)) {
        return null;
      }
      const lists = `it lists ${theirs.join(", ") || "no address"}, here is ${ours.join(", ")}`;
      const advice = "set the same virtual addresses on both";
      return version === 2
        ? { sentence: `${lists}: ${advice}; ${untilThen}` }
        : { sentence: `${lists}: ${advice}`, harmless: true };
    },
  },
  {
    // RFC 3768 §7.1 wants the same interval. RFC 9568 §7.1 logs another one, and a backup adopts it.
    reason: "interval",
    find: (advert, _source, { config }) => {
      const { version } = advert;
      const theirsCs = version === 2 ? advert.packet.advertIntervalS * 100 : advert.packet.advertIntervalCs;
      if (theirsCs === config.advertIntervalCs) {
        return null;
      }
      const says = `its advert interval is ${theirsCs / 100} s, here it is ${config.advertIntervalCs / 100} s`;
      if (theirsCs === 0) {
        return { sentence: `${says}: an interval of 0 means nothing, correct it over there` };
      }
      return version === 2
        ? { sentence: `${says}: set the same on both; ${untilThen}` }
        : { sentence: `${says}: set the same on both`, harmless: true };
    },
  },
];
