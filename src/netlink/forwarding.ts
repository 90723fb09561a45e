import { readFileSync } from "node:fs";

/** Whether this node forwards IPv6 on an interface; false where the kernel has no IPv6, or no such interface. */
export function forwardsIpv6(interfaceName: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv6/conf/${interfaceName}/forwarding`, "utf8").trim() === "1";
  } catch {
    return false;
  }
}
