import { familyOf, type VrrpInstanceConfig } from "../config/config.js";
import {
  authenticationHeaderProtocol,
  type HmacMd5,
  seal,
  withAuthenticationHeader,
} from "./authentication-header.js";
import { encodeIpv4, ipv4Bytes } from "./ipv4.js";
import { encodeIpv6, vrrpMulticastGroupV6 } from "./ipv6.js";
import {
  AuthType,
  authDataBytes,
  encodeAdvertV2,
  passwordBytes,
  vrrpMulticastGroup,
  vrrpProtocol,
} from "./packet-v2.js";
import { type AdvertPath, encodeAdvertV3 } from "./packet-v3.js";

/** The precedence that keepalived sends, too: internetwork control. */
const trafficClass = 0xc0;
const mostHops = 255;

/** What an advert needs besides the configuration. */
export interface AdvertCircumstances {
  /** This node's own address. */
  readonly source: string;
  /** 1–65535; another one with each advert, as the authentication header covers it. */
  readonly identification: number;
  /** Of the authentication header. */
  readonly sequence: number;
  readonly hmacMd5: HmacMd5;
}

/** A whole IP datagram and where it goes. */
export interface AdvertDatagram {
  readonly destination: string;
  readonly bytes: Uint8Array;
}

/** One advert: a datagram to the group, or one to each unicast peer. */
export function advertDatagrams(
  config: VrrpInstanceConfig,
  priority: number,
  circumstances: AdvertCircumstances,
): AdvertDatagram[] {
  const destinations = config.unicastPeers.length > 0 ? config.unicastPeers : [multicastGroup(config)];
  return destinations.map((destination) => ({
    destination,
    bytes: encodeDatagram(config, priority, destination, circumstances),
  }));
}

/** The group of the instance's family. */
export function multicastGroup(config: VrrpInstanceConfig): string {
  return familyOf(config) === 4 ? vrrpMulticastGroup : vrrpMulticastGroupV6;
}

function encodeDatagram(
  config: VrrpInstanceConfig,
  priority: number,
  destination: string,
  { source, identification, sequence, hmacMd5 }: AdvertCircumstances,
): Uint8Array {
  const message = encodeAdvert(config, priority, { source, destination });
  // RFC 9568 §5.1.1.3: 255 towards the group. keepalived's unicast_ttl is for peers behind routers.
  const hopLimit = config.unicastPeers.length > 0 ? (config.unicastTtl ?? mostHops) : mostHops;
  if (familyOf(config) === 6) {
    return encodeIpv6({ source, destination, trafficClass, hopLimit, nextHeader: vrrpProtocol }, message);
  }
  const header = { source, destination, tos: trafficClass, ttl: hopLimit, identification };
  const { authentication } = config;
  if (authentication.type !== "ah") {
    return encodeIpv4({ ...header, protocol: vrrpProtocol }, message);
  }
  const datagram = encodeIpv4(
    { ...header, protocol: authenticationHeaderProtocol },
    withAuthenticationHeader(message, ipv4Bytes(source), sequence),
  );
  seal(datagram, authentication.password, config.unicastPeers.length > 0, hmacMd5);
  return datagram;
}

/** The VRRP message of an instance with this priority (0: it gives mastership up), in the instance's version. */
export function encodeAdvert(config: VrrpInstanceConfig, priority: number, path: AdvertPath): Uint8Array {
  const { virtualRouterId, advertIntervalCs, authentication } = config;
  const addresses = config.addresses.map(({ address }) => address);
  if (config.version === 3) {
    const reading = config.v3ChecksumAsV2 && familyOf(config) === 4 ? "message" : "pseudo-header";
    return encodeAdvertV3({ virtualRouterId, priority, advertIntervalCs, addresses }, path, reading);
  }
  return encodeAdvertV2({
    virtualRouterId,
    priority,
    authType: AuthType[authentication.type],
    authData:
      authentication.type === "pass" ? passwordBytes(authentication.password) : new Uint8Array(authDataBytes),
    advertIntervalS: advertIntervalCs / 100,
    addresses,
  });
}
