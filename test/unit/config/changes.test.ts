import t from "tap";
import { changedValues } from "../../../src/config/changes.js";
import { demoConfig } from "../../../src/config/defaults.js";

const before = demoConfig({ hostname: "a", cores: 2 });

t.test("a configuration does not differ from its copy", async (t) => {
  t.same(changedValues(before, structuredClone(before)), []);
});

t.test("what differs is named by its path, things with names by their names", async (t) => {
  const after = {
    ...before,
    vrrp: [{ ...before.vrrp[0], priority: 7 }],
    proxies: [
      {
        ...before.proxies[0],
        servers: [before.proxies[0].servers[1], { name: "web03", host: "c", port: 1 }],
      },
    ],
    admin: null,
  };
  t.same(changedValues(before, after), [
    "vrrp.VI_1.priority",
    "proxies.http.servers.web01",
    "proxies.http.servers.web03",
    "admin",
  ]);
});
