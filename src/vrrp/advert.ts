import type { VrrpInstanceConfig } from "../config/config.js";
import { AuthType, authDataBytes, encodeAdvertV2, passwordBytes } from "./packet-v2.js";
import { type AdvertPath, encodeAdvertV3 } from "./packet-v3.js";

/** The VRRP message of an instance with this priority (0: it gives mastership up), in the instance's version. */
export function encodeAdvert(config: VrrpInstanceConfig, priority: number, path: AdvertPath): Uint8Array {
  const { virtualRouterId, advertIntervalCs, authentication } = config;
  const addresses = config.addresses.map(({ address }) => address);
  if (config.version === 3) {
    const reading = config.v3ChecksumAsV2 ? "message" : "pseudo-header";
    return encodeAdvertV3({ virtualRouterId, priority, advertIntervalCs, addresses }, path, reading);
  }
  return encodeAdvertV2({
    virtualRouterId,
    priority,
    advertIntervalS: advertIntervalCs / 100,
    addresses,
    ...(authentication.type === "pass"
      ? { authType: AuthType.pass, authData: passwordBytes(authentication.password) }
      : { authType: AuthType.none, authData: new Uint8Array(authDataBytes) }),
  });
}
