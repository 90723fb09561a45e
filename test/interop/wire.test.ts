import t from "tap";
import { Capture } from "../../lab/capture.js";
import { sleep } from "../../lab/clock.js";
import { virtualAddress } from "../../lab/network.js";
import { newNetwork, startTandemRouter } from "./routers.js";

t.jobs = 2;

for (const [name, password] of [
  ["without authentication", undefined],
  ["with a password", "secret"],
] as const) {
  t.test(`tshark finds no fault in Tandem's adverts ${name}`, { buffered: true }, async (t) => {
    const network = await newNetwork(t);
    const capture = await Capture.start(network, network.host("client"), "ip proto 112");
    const tandem = startTandemRouter(network, "lb-box1", {
      priority: 101,
      ...(password === undefined ? {} : { password }),
      addresses: [`${virtualAddress}/24`, "192.168.33.85/24"],
    });
    await network.waitForHolder(virtualAddress, "lb-box1", 40_000);
    await sleep(3000);
    await tandem.stop();

    const adverts = await capture.fields([
      "eth.dst",
      "ip.src",
      "ip.dst",
      "ip.ttl",
      "ip.dsfield",
      "ip.checksum.status",
      "vrrp.version",
      "vrrp.type",
      "vrrp.virt_rtr_id",
      "vrrp.prio",
      "vrrp.auth_type",
      "vrrp.auth_string",
      "vrrp.adver_int",
      "vrrp.ip_addr",
      "vrrp.checksum.status",
      "_ws.malformed",
    ]);
    t.ok(adverts.length >= 4, `${adverts.length} adverts`);
    const expected = {
      "eth.dst": "01:00:5e:00:00:12",
      "ip.src": "192.168.33.80",
      "ip.dst": "224.0.0.18",
      "ip.ttl": "255",
      "ip.dsfield": "0xc0",
      "vrrp.version": "2",
      "vrrp.type": "1",
      "vrrp.virt_rtr_id": "51",
      "vrrp.auth_type": password === undefined ? "0" : "1",
      "vrrp.auth_string": password ?? "",
      "vrrp.adver_int": "1",
      "vrrp.ip_addr": "192.168.33.84,192.168.33.85",
      // 1: good
      "vrrp.checksum.status": "1",
      "_ws.malformed": "",
    };
    for (const advert of adverts) t.match(advert, expected);
    const priorities = adverts.map((advert) => Number(advert["vrrp.prio"]));
    t.equal(priorities.at(-1), 0, "the last one says goodbye");
    t.ok(priorities.slice(0, -1).every((priority) => priority === 101 || priority === 0));
  });
}

t.test(
  "a new master announces its address five times at once, and five times more after five seconds",
  { buffered: true },
  async (t) => {
    const network = await newNetwork(t);
    const capture = await Capture.start(network, network.host("client"), "arp");
    startTandemRouter(network, "lb-box1", { priority: 101 });
    await network.waitForHolder(virtualAddress, "lb-box1", 40_000);
    await sleep(6500);
    const mac = (await network.host("lb-box1").run("cat", "/sys/class/net/eth1/address")).trim();

    const frames = await capture.fields(
      [
        "frame.time_epoch",
        "eth.src",
        "eth.dst",
        "arp.opcode",
        "arp.src.hw_mac",
        "arp.src.proto_ipv4",
        "arp.dst.proto_ipv4",
      ],
      `arp.isgratuitous && arp.src.proto_ipv4 == ${virtualAddress}`,
    );
    t.equal(frames.length, 10);
    for (const frame of frames)
      t.match(frame, {
        "eth.src": mac,
        "eth.dst": "ff:ff:ff:ff:ff:ff",
        "arp.opcode": "1",
        "arp.src.hw_mac": mac,
        "arp.dst.proto_ipv4": virtualAddress,
      });
    const seconds = frames.map((frame) => Number(frame["frame.time_epoch"]));
    t.ok(seconds[4] - seconds[0] < 0.3, "five at once");
    t.ok(
      Math.abs(seconds[5] - seconds[0] - 5) < 0.5,
      `the second five after ${(seconds[5] - seconds[0]).toFixed(2)} s`,
    );
    t.ok(seconds[9] - seconds[5] < 0.3);
  },
);
