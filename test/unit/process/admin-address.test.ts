import type { NetworkInterfaceInfo } from "node:os";
import t from "tap";
import { demoConfig } from "../../../src/config/defaults.js";
import { adminAddress, assertNoProxyThere } from "../../../src/process/admin-address.js";

const config = demoConfig({ hostname: "h", cores: 1 });
const admin = config.admin;
if (admin === null) throw new Error("the demo has an admin server");

function ipv4(address: string): NetworkInterfaceInfo {
  return { address, family: "IPv4", netmask: "255.255.255.0", mac: "", internal: false, cidr: null };
}

const ipv6: NetworkInterfaceInfo = {
  address: "fe80::1",
  family: "IPv6",
  netmask: "",
  mac: "",
  internal: false,
  cidr: null,
  scopeid: 2,
};

t.test("an interface stands for its first IPv4 address that is not virtual", async (t) => {
  t.equal(
    adminAddress(config, admin, { eth1: [ipv6, ipv4("192.168.33.84"), ipv4("192.168.33.80")] }),
    "192.168.33.80",
  );
});

t.test("without the interface, or with the virtual address alone, there is none yet", async (t) => {
  t.equal(adminAddress(config, admin, {}), null);
  t.equal(adminAddress(config, admin, { eth1: [ipv4("192.168.33.84")] }), null);
});

t.test("a literal address is taken as it is", async (t) => {
  const listen = { kind: "address", address: "10.0.0.1", port: 80 } as const;
  t.equal(adminAddress(config, { ...admin, listen }, {}), "10.0.0.1");
});

t.test("a proxy on the same address is named", async (t) => {
  const everywhere = {
    ...config,
    proxies: [{ ...config.proxies[0], listen: [{ address: "0.0.0.0", port: 80 }] }],
  };
  t.throws(() => assertNoProxyThere(everywhere, "192.168.33.80", 80), {
    code: "LB_LISTEN_IN_USE",
    message: "the admin server cannot listen on 192.168.33.80:80: the proxy http does",
  });
  t.doesNotThrow(() => assertNoProxyThere(everywhere, "192.168.33.80", 81));
  t.doesNotThrow(() => assertNoProxyThere(config, "192.168.33.80", 80));
});
