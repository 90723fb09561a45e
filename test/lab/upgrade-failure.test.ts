import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { AdvertWatch } from "../../lab/adverts.js";
import { startNginx } from "../../lab/backend.js";
import { nowMs, waitFor } from "../../lab/clock.js";
import { demoPlan, virtualAddress } from "../../lab/network.js";
import { Probe } from "../../lab/probe.js";
import { projectRoot } from "../../lab/project-root.js";
import { Tandem, writeConfiguration } from "../../lab/tandem.js";
import { newNetwork } from "../interop/routers.js";

/** A program that says that it is ready, and then does not take over. */
const pretender = `
import { Socket } from "node:net";
const socket = new Socket({ fd: Number(process.env.LB_UPGRADE), readable: true, writable: true });
const say = (message) => socket.write(JSON.stringify(message) + "\\n");
say({ kind: "hello", protocol: 1, version: "9.9.9", pid: process.pid });
say({ kind: "ready" });
socket.resume();
`;
const masterDownMs = 3609;

t.test("a successor that does not take over is ended, and VRRP goes on where it stood still", async (t) => {
  const network = await newNetwork(t, demoPlan);
  for (const name of ["web-box1", "web-box2"]) await startNginx(network, network.host(name));
  const host = network.host("lb-box1");
  const config = writeConfiguration(
    network,
    host,
    `vrrp: { VI_1: { interface: eth1, virtual_router_id: 51, virtual_ipaddress: ${virtualAddress}/24 } }
peer_link: { key: "a key for the lab, long enough" }
proxies: { http: { bind: "${virtualAddress}:80", servers: { web01: "192.168.33.68:80" } } }
`,
  );
  const program = join(network.scratch, "lb.mjs");
  const socket = join(network.scratch, "s");
  symlinkSync(join(projectRoot, "bin", "lb.js"), program);
  const words = [program, "--config", config, "--stats-socket", socket];
  const box = new Tandem(host, host.spawn("tandem", process.execPath, ...words), socket);
  await network.waitForHolder(virtualAddress, "lb-box1", 40_000);
  const probe = Probe.start(network.host("client"));
  await probe.waitForService(10_000);
  const adverts = await AdvertWatch.start(network.host("client"));
  await waitFor("an advert", 5000, () => adverts.from(host.address).length > 0);
  const startMs = nowMs();
  const before = box.transitions().length;
  rmSync(program);
  writeFileSync(program, pretender);
  box.process.signal("SIGUSR2");
  await box.process.waitForLine((text) => text.includes("nothing was upgraded"), 30_000);
  await probe.waitForService(5000, 3000);
  const seen = await probe.summary(startMs, nowMs());
  await probe.stop();
  t.match(
    box.log.find(({ code }) => code === "LB_UPGRADE")?.msg,
    "the new program has not taken over after 2 s",
  );
  for (const stream of [seen.new, seen.kept]) t.same(stream.failures, {});
  const times = adverts.from(host.address).map(({ epochMs }) => epochMs);
  await adverts.stop();
  const gaps = times.slice(1).map((time, i) => time - times[i]);
  t.ok(times.length > 3, `${times.length} adverts`);
  t.ok(Math.max(...gaps) < masterDownMs, `the longest pause between two adverts: ${Math.max(...gaps)} ms`);
  t.equal(box.transitions().length, before);
  t.match(await box.ask("show vrrp"), /MASTER/);
  t.match(await box.stop(), { code: 0 }, "and it can still be stopped in good order");
});
