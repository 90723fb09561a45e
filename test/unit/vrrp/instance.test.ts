import t from "tap";
import { SimulatedLan, type SimulatedNode } from "./simulated-lan.js";

/** Two nodes as in the demo: .80 with priority 101, .81 with priority 100, both started, the first one master. */
function settledPair(changes: Parameters<SimulatedLan["add"]>[1] = {}) {
  const lan = new SimulatedLan();
  const a = lan.add("192.168.33.80", { ...changes, priority: 101 }).start();
  const b = lan.add("192.168.33.81", { ...changes, priority: 100 }).start();
  lan.run(20_000);
  return { lan, a, b };
}

function states(...nodes: SimulatedNode[]): string {
  return nodes.map((node) => `${node.state.name}${node.holdsAddress ? "+" : ""}`).join(" ");
}

t.test("election", async (t) => {
  t.test(
    "of two that start together the higher priority becomes master, and alone holds the address",
    async (t) => {
      const { lan, a, b } = settledPair();
      t.equal(states(a, b), "MASTER+ BACKUP");
      t.strictSame(lan.history(b), ["INIT to BACKUP", "remove"], "the other one never spoke");
      t.equal(a.state.reason, "no master was heard for 3605 ms");
    },
  );

  t.test("a lone node becomes master after exactly the master-down interval", async (t) => {
    const lan = new SimulatedLan();
    const node = lan.add("192.168.33.80", { priority: 100 }).start();
    lan.run(10_000);
    t.equal(lan.when(node, "BACKUP to MASTER"), 3609.375);
  });

  t.test("the advert leaves before the address is added, and then it is announced", async (t) => {
    const lan = new SimulatedLan();
    const node = lan.add("192.168.33.80").start();
    lan.run(3610);
    t.strictSame(lan.history(node).slice(2), ["advert 100", "BACKUP to MASTER", "put", "announce 5"]);
  });

  t.test("whoever begins as backup removes what a dead process left", async (t) => {
    const lan = new SimulatedLan();
    const node = lan.add("192.168.33.80");
    node.leaveAddressBehind();
    node.start();
    t.equal(states(node), "BACKUP");
  });

  t.test("the owner of the addresses, priority 255, is master at once", async (t) => {
    const lan = new SimulatedLan();
    const owner = lan.add("192.168.33.80", { priority: 255 }).start();
    t.equal(states(owner), "MASTER+");
    t.equal(lan.when(owner, "advert 255"), 0);
  });

  t.test("equal priorities both waiting: the one that speaks first stays", async (t) => {
    const lan = new SimulatedLan();
    const low = lan.add("192.168.33.80").start();
    lan.run(100);
    const high = lan.add("192.168.33.81").start();
    lan.run(20_000);
    t.equal(states(low, high), "MASTER+ BACKUP");
  });

  t.test(
    "equal priorities both masters: the higher address stays, compared as an unsigned number",
    async (t) => {
      const lan = new SimulatedLan();
      const low = lan.add("9.255.255.255").start();
      const high = lan.add("200.0.0.1").start();
      lan.partition([low], [high]);
      lan.run(10_000);
      t.equal(states(low, high), "MASTER+ MASTER+");
      lan.heal();
      lan.run(1100);
      t.equal(states(low, high), "BACKUP MASTER+");
      t.match(low.state.reason, "200.0.0.1 has the same priority 100 and the higher address");
    },
  );
});

t.test("failover", async (t) => {
  t.test("a backup whose master falls silent takes over after the master-down interval", async (t) => {
    const { lan, a, b } = settledPair();
    const last = lan.happenings.filter((h) => h.node === a.address && h.what === "advert 101").at(-1);
    a.crash();
    lan.run(5000);
    t.equal(states(b), "MASTER+");
    const waited = lan.when(b, "BACKUP to MASTER") - (last?.atMs ?? 0) - lan.latencyMs;
    t.ok(Math.abs(waited - 3609.375) < 1e-6, `waited ${waited} ms`);
    t.match(b.state.reason, "192.168.33.80 was not heard for 3609 ms");
  });

  t.test("the address leaves a crashed node with its lease, though nobody removes it", async (t) => {
    const { lan, a } = settledPair({ leaseMs: 3000 });
    a.crash();
    lan.run(1999);
    t.ok(a.holdsAddress, "it was refreshed less than a third of the lease ago");
    lan.run(1002);
    t.notOk(a.holdsAddress);
  });

  t.test("priority 0 is followed by a takeover after the skew alone", async (t) => {
    const { lan, a, b } = settledPair();
    const stoppedMs = lan.nowMs;
    a.input({ kind: "stop", reason: "stopped" });
    t.equal(states(a), "INIT");
    lan.run(1000);
    t.equal(lan.when(b, "BACKUP to MASTER"), stoppedMs + lan.latencyMs + 609.375);
    t.match(b.state.reason, "192.168.33.80 gave mastership up");
  });

  t.test("one lost advert, or two, move nothing", async (t) => {
    const { lan, a, b } = settledPair();
    for (let times = 0; times < 5; times++) {
      lan.loss = 1;
      lan.run(2000);
      lan.loss = 0;
      lan.run(1500);
    }
    t.equal(states(a, b), "MASTER+ BACKUP");
    t.equal(lan.history(b).length, 2);
  });

  t.test("adverts keep their beat, however late each of them is", async (t) => {
    const { lan, a } = settledPair();
    const beatMs = lan.when(a, "BACKUP to MASTER");
    for (let second = 20; second < 70; second++) {
      lan.runUntil(beatMs + second * 1000 - 10);
      a.freeze();
      lan.run(40);
      a.thaw();
    }
    const lateMs = lan.nowMs;
    lan.run(1000);
    t.equal(lan.when(a, "advert 101", lateMs + 1), beatMs + 70_000, "after fifty that were 30 ms late");
  });
});

t.test("preemption", async (t) => {
  t.test(
    "a higher priority that comes back takes over, and the other one steps down at its first advert",
    async (t) => {
      const { lan, a, b } = settledPair();
      a.crash();
      lan.run(10_000);
      a.restart();
      const backMs = lan.nowMs;
      lan.run(5000);
      t.equal(states(a, b), "MASTER+ BACKUP");
      t.equal(lan.when(a, "BACKUP to MASTER", backMs), backMs + 3605.46875);
      t.match(a.state.reason, "192.168.33.81 advertises priority 100, lower than 101 here");
      t.match(b.state.reason, "192.168.33.80 advertises priority 101, higher than 100 here");
      const overlap = lan.when(b, "MASTER to BACKUP") - lan.when(a, "BACKUP to MASTER", backMs);
      t.ok(overlap <= lan.latencyMs * 1.01, `both for ${overlap} ms`);
    },
  );

  t.test("with nopreempt the node that comes back stays backup, until the master is gone", async (t) => {
    const { lan, a, b } = settledPair({ preempt: false });
    a.crash();
    lan.run(10_000);
    a.restart();
    lan.run(60_000);
    t.equal(states(a, b), "BACKUP MASTER+");
    b.crash();
    lan.run(4000);
    t.equal(states(a), "MASTER+");
  });
});

t.test("two masters", async (t) => {
  t.test(
    "a partition makes two, and healing it leaves the better one within an advert interval",
    async (t) => {
      const { lan, a, b } = settledPair();
      lan.partition([a], [b]);
      lan.run(10_000);
      t.equal(states(a, b), "MASTER+ MASTER+");
      lan.heal();
      lan.run(1000 + lan.latencyMs);
      t.equal(states(a, b), "MASTER+ BACKUP");
    },
  );

  t.test("the better one answers a loser's advert at once and announces again", async (t) => {
    const lan = new SimulatedLan();
    const a = lan.add("192.168.33.80", { priority: 101 }).start();
    const b = lan.add("192.168.33.81", { priority: 100 });
    lan.run(9000);
    lan.partition([a], [b]);
    b.start();
    lan.run(6607);
    // Just after an advert of the better one and just before one of the other.
    lan.heal();
    const healedMs = lan.nowMs;
    lan.run(1000);
    const heardMs = lan.when(b, "advert 100", healedMs) + lan.latencyMs;
    t.equal(lan.when(a, "advert 101", heardMs), heardMs, "at the instant it heard the other");
    t.equal(lan.when(a, "announce 5", heardMs), heardMs);
    t.equal(lan.when(b, "MASTER to BACKUP", healedMs), heardMs + lan.latencyMs);
    t.ok(lan.history(a).some((line) => line.includes("192.168.33.81 is master too, with priority 100")));
    lan.run(6000);
    t.equal(lan.when(a, "announce 5", heardMs + 1), heardMs + 5000, "and once more after the delay");
  });

  t.test("a loser that never listens is not answered more than once an interval", async (t) => {
    const { lan, a } = settledPair();
    const from = lan.nowMs;
    for (let advert = 0; advert < 1000; advert++) {
      lan.run(10);
      a.input({ kind: "advert", source: "192.168.33.99", priority: 1 });
    }
    const sent = lan.happenings.filter(
      (h) => h.node === a.address && h.what === "advert 101" && h.atMs > from,
    );
    t.ok(sent.length <= 21, `${sent.length} adverts in ten seconds`);
  });

  t.test("a master that has just taken over does not say so twice", async (t) => {
    const lan = new SimulatedLan();
    const node = lan.add("192.168.33.80").start();
    lan.run(3610);
    node.input({ kind: "advert", source: "192.168.33.99", priority: 1 });
    t.equal(lan.history(node).filter((line) => line === "advert 100").length, 1);
  });

  t.test("a master answers priority 0 at once, so that nobody else takes over", async (t) => {
    const { lan, a } = settledPair();
    const { nowMs } = lan;
    a.input({ kind: "advert", source: "192.168.33.99", priority: 0 });
    t.equal(lan.when(a, "advert 101", nowMs), nowMs);
    lan.run(999);
    t.ok(Number.isNaN(lan.when(a, "advert 101", nowMs + 1)), "and counts its interval from there");
    lan.run(1);
    t.equal(lan.when(a, "advert 101", nowMs + 1), nowMs + 1000);
  });
});

t.test("handing over", async (t) => {
  t.test("priority 0 at once, and the address stays until the partner is heard, without a gap", async (t) => {
    const { lan, a, b } = settledPair();
    const { nowMs } = lan;
    lan.invariant = () => t.ok(lan.holders().length >= 1, "nobody holds the address");
    a.input({ kind: "hand-over", assisted: false });
    t.equal(lan.when(a, "advert 0"), nowMs);
    t.equal(states(a, b), "MASTER+ BACKUP");
    lan.run(2000);
    t.equal(states(a, b), "INIT MASTER+");
    const tookOverMs = lan.when(b, "BACKUP to MASTER");
    t.equal(tookOverMs, nowMs + lan.latencyMs + 609.375);
    t.equal(
      lan.when(a, "handed over"),
      tookOverMs + lan.latencyMs + 100,
      "after the time to announce itself",
    );
    t.match(a.state.reason, "handed over to 192.168.33.81");
    t.equal(lan.history(a).filter((line) => line === "advert 0").length, 1);
    t.notOk(lan.happenings.some((h) => h.node === a.address && h.atMs > nowMs && h.what === "advert 101"));
  });

  t.test("nobody takes over: released after the slowest possible backup's time", async (t) => {
    const { lan, a, b } = settledPair();
    b.crash();
    const { nowMs } = lan;
    a.input({ kind: "hand-over", assisted: false });
    lan.run(1096);
    t.equal(states(a), "MASTER+");
    lan.run(1);
    t.equal(states(a), "INIT");
    t.equal(lan.when(a, "handed over"), nowMs + 1096.09375);
    t.match(a.state.reason, "nobody took over within 1096 ms");
  });

  t.test("the lease is refreshed meanwhile, however short it is", async (t) => {
    const { lan, a, b } = settledPair({ leaseMs: 300 });
    b.crash();
    a.input({ kind: "hand-over", assisted: false });
    for (let waited = 0; waited < 1090; waited += 10) {
      lan.run(10);
      t.ok(a.holdsAddress, `${waited} ms`);
    }
    lan.run(1000);
    t.equal(states(a), "INIT");
  });

  t.test("somebody removes the address meanwhile: it is put back", async (t) => {
    const { lan, a } = settledPair();
    a.input({ kind: "hand-over", assisted: false });
    lan.run(100);
    a.loseAddress();
    t.equal(states(a), "MASTER+");
  });

  t.test("an address that waits to be put back when the hand-over begins is put back", async (t) => {
    const { lan, a } = settledPair();
    a.loseAddress();
    a.loseAddress();
    t.equal(states(a), "MASTER", "the second time within 100 ms waits");
    a.input({ kind: "hand-over", assisted: false });
    lan.run(100);
    t.equal(states(a), "MASTER+");
  });

  t.test("another one's priority 0 is no takeover", async (t) => {
    const { lan, a } = settledPair();
    a.input({ kind: "hand-over", assisted: false });
    a.input({ kind: "advert", source: "192.168.33.99", priority: 0 });
    lan.run(100);
    t.equal(states(a), "MASTER+");
  });

  t.test("a second signal releases at once", async (t) => {
    const { lan, a } = settledPair();
    a.input({ kind: "hand-over", assisted: false });
    a.input({ kind: "stop", reason: "stopped" });
    t.equal(states(a), "INIT");
    t.equal(lan.history(a).filter((line) => line === "advert 0").length, 1);
    t.equal(lan.history(a).filter((line) => line === "handed over").length, 1);
  });

  t.test("the link goes down meanwhile: released at once, for nobody can be served or heard", async (t) => {
    const { a } = settledPair();
    a.input({ kind: "hand-over", assisted: false });
    a.pullCable();
    t.equal(states(a), "INIT");
  });

  t.test("a backup is done at once, and so is a node in fault", async (t) => {
    const { lan, a, b } = settledPair();
    b.input({ kind: "hand-over", assisted: false });
    t.equal(lan.when(b, "handed over"), lan.nowMs);
    a.pullCable();
    a.input({ kind: "hand-over", assisted: false });
    t.equal(lan.when(a, "handed over"), lan.nowMs);
    t.equal(states(a, b), "INIT INIT");
  });
});

t.test("fault", async (t) => {
  t.test("link down: the address is removed at once; link back: backup, and then by the rules", async (t) => {
    const { lan, a, b } = settledPair();
    a.pullCable();
    t.equal(states(a), "FAULT");
    t.match(a.state.reason, "interface eth1 is down");
    t.notOk(lan.history(a).includes("advert 0"), "there is nothing to send it on");
    lan.run(5000);
    t.equal(states(a, b), "FAULT MASTER+");
    a.plugCable();
    t.equal(states(a), "BACKUP");
    lan.run(5000);
    t.equal(states(a, b), "MASTER+ BACKUP");
  });

  t.test("a node that starts without its link waits in fault", async (t) => {
    const lan = new SimulatedLan();
    const node = lan.add("192.168.33.80");
    node.pullCable();
    node.start();
    lan.run(10_000);
    t.equal(states(node), "FAULT");
    node.plugCable();
    lan.run(4000);
    t.equal(states(node), "MASTER+");
  });

  t.test(
    "a master that cannot serve says priority 0 and releases at once, so the partner is quick",
    async (t) => {
      const { lan, a, b } = settledPair();
      const { nowMs } = lan;
      a.input({ kind: "fault", cause: "fitness", reason: "no data thread is alive" });
      t.equal(states(a), "FAULT");
      t.match(a.state.reason, "no data thread is alive");
      t.equal(lan.when(a, "advert 0"), nowMs);
      lan.run(700);
      t.equal(states(b), "MASTER+");
      a.input({ kind: "fault-cleared", cause: "fitness", reason: "the data threads are back" });
      t.equal(a.state.name, "BACKUP");
      t.match(a.state.reason, "the data threads are back");
    },
  );

  t.test("it lasts until its last cause is gone", async (t) => {
    const { a } = settledPair();
    a.pullCable();
    a.input({ kind: "fault", cause: "fitness", reason: "no data thread is alive" });
    t.match(a.state.reason, /eth1 is down; no data thread/);
    a.plugCable();
    t.equal(states(a), "FAULT");
    t.equal(a.state.reason, "no data thread is alive");
    a.input({ kind: "fault-cleared", cause: "fitness", reason: "back" });
    t.equal(states(a), "BACKUP");
  });

  t.test("what the kernel refuses is given up and tried again after ten seconds", async (t) => {
    const { lan, a, b } = settledPair();
    a.input({ kind: "fault", cause: "address", reason: "EPERM" });
    t.equal(states(a), "FAULT");
    lan.run(9999);
    t.equal(states(a, b), "FAULT MASTER+");
    lan.run(1);
    t.equal(states(a), "BACKUP");
  });

  t.test("an owner in fault is master again as soon as the fault is gone", async (t) => {
    const lan = new SimulatedLan();
    const owner = lan.add("192.168.33.80", { priority: 255 }).start();
    owner.pullCable();
    t.equal(states(owner), "FAULT");
    owner.plugCable();
    t.equal(states(owner), "MASTER+");
  });
});

t.test("an address that somebody removes", async (t) => {
  t.test("is put back at once and announced, and the state does not flip", async (t) => {
    const { lan, a, b } = settledPair();
    const before = a.announcements;
    const { nowMs } = lan;
    a.loseAddress();
    t.equal(states(a, b), "MASTER+ BACKUP");
    t.equal(a.announcements, before + 5);
    lan.run(5000);
    t.equal(a.announcements, before + 10);
    t.notOk(lan.happenings.some((h) => h.atMs >= nowMs && /to (BACKUP|MASTER|FAULT)/.test(h.what)));
  });

  t.test("again and again is put back ten times a second, not more", async (t) => {
    const { lan, a } = settledPair();
    const from = lan.nowMs;
    for (let times = 0; times < 1000; times++) {
      a.loseAddress();
      lan.run(1);
    }
    lan.run(100);
    t.ok(a.holdsAddress, "and the last word is ours");
    const puts = lan.happenings.filter((h) => h.atMs >= from && h.what === "put").length;
    t.ok(puts <= 12, `${puts} times`);
  });

  t.test("is no matter for a backup", async (t) => {
    const { lan, b } = settledPair();
    b.loseAddress();
    t.strictSame(lan.history(b), ["INIT to BACKUP", "remove"]);
  });
});

t.test("announcements come five at once, five after five seconds, then one a minute for ever", async (t) => {
  const lan = new SimulatedLan();
  const node = lan.add("192.168.33.80").start();
  lan.runUntil(200_000);
  const at = lan.happenings.filter((h) => h.what.startsWith("announce"));
  const master = lan.when(node, "BACKUP to MASTER");
  t.strictSame(
    at.map((h) => [h.what, h.atMs - master]),
    [
      ["announce 5", 0],
      ["announce 5", 5000],
      ["announce 1", 60_000],
      ["announce 1", 120_000],
      ["announce 1", 180_000],
    ],
  );
});

t.test("announcements that are switched off do not come", async (t) => {
  const lan = new SimulatedLan();
  const node = lan
    .add("192.168.33.80", { gratuitousArp: { repeat: 0, delayMs: 5000, refreshMs: 0 } })
    .start();
  lan.run(200_000);
  t.equal(node.announcements, 0);
});

t.test("a frozen process", async (t) => {
  for (const firstEvent of ["socket", "address event", "timer"] as const) {
    t.test(
      `as master, replaced meanwhile, claims its rank when it wakes up by its ${firstEvent}`,
      async (t) => {
        const { lan, a, b } = settledPair();
        a.freeze();
        lan.run(10_000);
        t.equal(states(a, b), "MASTER MASTER+", "the kernel has taken the address from the frozen one");
        const { nowMs } = lan;
        const before = a.announcements;
        a.thaw(firstEvent);
        lan.run(10);
        t.equal(states(a, b), "MASTER+ BACKUP");
        t.equal(lan.when(a, "advert 101", nowMs), nowMs);
        t.equal(a.announcements, before + 5, "clients hear who it is now");
      },
    );

    t.test(
      `with nopreempt leaves mastership where it is when it wakes up by its ${firstEvent}`,
      async (t) => {
        const { lan, a, b } = settledPair({ preempt: false });
        a.freeze();
        lan.run(10_000);
        const { nowMs } = lan;
        a.thaw(firstEvent);
        lan.run(5000);
        t.equal(states(a, b), "BACKUP MASTER+");
        t.notOk(lan.happenings.some((h) => h.node === a.address && h.atMs >= nowMs && h.what === "put"));
        t.ok(Number.isNaN(lan.when(a, "advert 101", nowMs)));
        t.match(a.state.reason, "192.168.33.81 took over while this process did not run");
      },
    );

    t.test(
      `finds a better master in its socket and asserts nothing, woken by its ${firstEvent}`,
      async (t) => {
        const { lan, a, b } = settledPair();
        a.freeze();
        b.crash();
        const better = lan.add("192.168.33.82", { priority: 200 }).start();
        lan.run(10_000);
        const { nowMs } = lan;
        a.thaw(firstEvent);
        t.equal(states(a, better), "BACKUP MASTER+");
        t.notOk(a.state.inDoubt, "what it does next, it does without hesitation");
        t.notOk(lan.happenings.some((h) => h.node === a.address && h.atMs >= nowMs && h.what === "put"));
        t.ok(Number.isNaN(lan.when(a, "advert 101", nowMs)));
      },
    );
  }

  t.test(
    "that lost its address meanwhile, and not by its lease, puts it back once it has looked",
    async (t) => {
      const { lan, a, b } = settledPair({ leaseMs: 300_000 });
      b.crash();
      a.freeze();
      lan.run(4000);
      a.frozen = false;
      a.loseAddress();
      t.equal(states(a), "MASTER");
      lan.run(1);
      t.equal(states(a), "MASTER+");
    },
  );

  t.test(
    "as backup does not take over for the time it slept, with adverts in its socket or without",
    async (t) => {
      for (const sleepMs of [4000, 10_000, 600_000]) {
        const { lan, a, b } = settledPair();
        b.freeze();
        lan.run(sleepMs);
        b.thaw();
        lan.run(10_000);
        t.equal(states(a, b), "MASTER+ BACKUP");
        t.notOk(lan.history(b).includes("BACKUP to MASTER"));
      }
    },
  );

  t.test(
    "as backup in a virtual machine that stood still, whose socket is empty, listens once more",
    async (t) => {
      const { lan, a, b } = settledPair();
      lan.partition([a], [b]);
      b.freeze();
      lan.run(60_000);
      lan.heal();
      b.thaw();
      lan.run(10_000);
      t.equal(states(a, b), "MASTER+ BACKUP");
      t.notOk(lan.history(b).includes("BACKUP to MASTER"));
    },
  );

  t.test("that slept less than a takeover takes is back at work without a word", async (t) => {
    const { lan, a, b } = settledPair();
    a.freeze();
    lan.run(1500);
    a.thaw();
    lan.run(3000);
    t.equal(states(a, b), "MASTER+ BACKUP");
    t.notOk(lan.history(a).some((line) => line.includes("did not run")));
  });
});

t.test("an effective priority", async (t) => {
  t.test(
    "a master advertises with the lowered one, and the backup takes over when its timer ends",
    async (t) => {
      const { lan, a, b } = settledPair();
      const lastMs = lan.happenings.filter((h) => h.what === "advert 101").at(-1)?.atMs ?? Number.NaN;
      a.input({ kind: "priority", priority: 51, reason: "no server of http is up" });
      t.equal(states(a, b), "MASTER+ BACKUP", "it does not give up by itself");
      lan.run(5000);
      t.ok(lan.when(a, "advert 51", lastMs) > lastMs);
      t.equal(states(a, b), "BACKUP MASTER+");
      t.ok(Math.abs(lan.when(b, "BACKUP to MASTER") - lan.latencyMs - lastMs - 3609.375) < 1e-6);
      t.equal(b.state.reason, "192.168.33.80 advertises priority 51, lower than 100 here");
      a.input({ kind: "priority", priority: 101, reason: "web01 of http is up" });
      lan.run(5000);
      t.equal(states(a, b), "MASTER+ BACKUP", "and back");
    },
  );

  t.test("both lowered alike: the master stays, exactly one", async (t) => {
    const { lan, a, b } = settledPair();
    b.input({ kind: "priority", priority: 50, reason: "no server of http is up" });
    lan.run(500);
    a.input({ kind: "priority", priority: 51, reason: "no server of http is up" });
    lan.run(20_000);
    t.equal(states(a, b), "MASTER+ BACKUP");
    t.notOk(lan.history(b).includes("BACKUP to MASTER"));
  });

  t.test(
    "a backup whose priority changes has the skew of the new one, from the last advert on",
    async (t) => {
      const { lan, a, b } = settledPair();
      const before = b.state.timers.masterDown ?? Number.NaN;
      b.input({ kind: "priority", priority: 228, reason: "raised" });
      t.ok(Math.abs((b.state.timers.masterDown ?? 0) - (before - 500)) < 1e-6);
      lan.run(5000);
      t.equal(states(a, b), "BACKUP MASTER+");
    },
  );

  t.test("it stays within 1 and 254, and a change that is none says nothing", async (t) => {
    const { lan, a } = settledPair();
    a.input({ kind: "priority", priority: -40, reason: "x" });
    t.equal(a.state.priority, 1);
    a.input({ kind: "priority", priority: 0, reason: "x" });
    a.input({ kind: "priority", priority: 999, reason: "x" });
    t.equal(a.state.priority, 254);
    t.strictSame(
      lan.history(a).filter((what) => what.startsWith("priority")),
      ["priority 101 to 1", "priority 1 to 254"],
    );
  });

  t.test("the owner of the addresses keeps its 255", async (t) => {
    const lan = new SimulatedLan();
    const owner = lan.add("192.168.33.80", { priority: 255 }).start();
    owner.input({ kind: "priority", priority: 50, reason: "x" });
    lan.run(1000);
    t.equal(owner.state.priority, 255);
    t.notOk(lan.history(owner).includes("advert 50"));
  });

  t.test("it outlasts a fault", async (t) => {
    const { lan, a, b } = settledPair();
    a.input({ kind: "priority", priority: 90, reason: "x" });
    a.pullCable();
    lan.run(5000);
    a.plugCable();
    lan.run(10_000);
    t.equal(states(a, b), "BACKUP MASTER+");
  });
});

t.test("VRRPv3", async (t) => {
  const fast = { version: 3, advertIntervalCs: 10, leaseMs: 1000 } as const;

  t.test("a lone node becomes master after three intervals and its part of one", async (t) => {
    const lan = new SimulatedLan();
    const node = lan.add("192.168.33.80", { ...fast, priority: 100 }).start();
    lan.run(1000);
    t.equal(lan.when(node, "BACKUP to MASTER"), 360.9375);
  });

  t.test("a backup adopts the interval of the master that it hears", async (t) => {
    const lan = new SimulatedLan();
    const slow = lan.add("192.168.33.80", { ...fast, advertIntervalCs: 100, priority: 101 }).start();
    const backup = lan.add("192.168.33.81", { ...fast, priority: 100 }).start();
    lan.run(20_000);
    t.equal(states(slow, backup), "MASTER+ BACKUP", "1 s between adverts do not unsettle it");
    t.equal(backup.state.masterIntervalMs, 1000);
    const last = lan.happenings.filter((h) => h.node === slow.address && h.what === "advert 101").at(-1);
    slow.crash();
    const since = lan.nowMs;
    lan.run(10_000);
    const waited = lan.when(backup, "BACKUP to MASTER", since) - (last?.atMs ?? 0) - lan.latencyMs;
    t.ok(Math.abs(waited - 3609.375) < 1e-6, `waited ${waited} ms`);
    const adverts = lan.happenings.filter((h) => h.node === backup.address && h.what === "advert 100");
    const [one, other] = adverts.slice(-2);
    t.ok(Math.abs(other.atMs - one.atMs - 100) < 1e-6, "as master it keeps its own interval");
  });

  t.test("a master that gives way adopts the interval of the one that it gives way to", async (t) => {
    const lan = new SimulatedLan();
    const low = lan.add("192.168.33.80", { ...fast, priority: 100 }).start();
    lan.run(2000);
    const high = lan.add("192.168.33.81", { ...fast, advertIntervalCs: 200, priority: 101 }).start();
    lan.run(20_000);
    t.equal(states(low, high), "BACKUP MASTER+");
    t.equal(low.state.masterIntervalMs, 2000);
  });

  t.test("priority 0 is followed by a takeover after a part of the master's interval", async (t) => {
    const { lan, a, b } = settledPair(fast);
    const stoppedMs = lan.nowMs;
    a.input({ kind: "stop", reason: "stopped" });
    lan.run(1000);
    t.equal(lan.when(b, "BACKUP to MASTER"), stoppedMs + lan.latencyMs + 60.9375);
  });

  t.test("the lower priority's interval is not adopted by who will take over from it", async (t) => {
    const lan = new SimulatedLan();
    const slow = lan.add("192.168.33.80", { ...fast, advertIntervalCs: 100, priority: 100 }).start();
    lan.run(5000);
    const high = lan.add("192.168.33.81", { ...fast, priority: 101 }).start();
    const since = lan.nowMs;
    lan.run(5000);
    t.equal(states(slow, high), "BACKUP MASTER+");
    t.ok(lan.when(high, "BACKUP to MASTER", since) - since < 361);
  });
});

t.test("a partner's death, told by the peer link", async (t) => {
  const master = "192.168.33.80";

  t.test("the backup of a dead master takes over in that instant, and says why", async (t) => {
    const { lan, a, b } = settledPair();
    a.crash();
    b.input({ kind: "peer-dead", address: master, delayMs: 0 });
    t.equal(b.state.name, "MASTER");
    t.match(b.state.reason, `${master} is dead`);
    t.equal(lan.when(b, "advert 100"), lan.nowMs);
  });

  t.test("behind better backups it waits, and stays backup when one of them speaks", async (t) => {
    const { lan, a, b } = settledPair();
    const c = lan.add("192.168.33.82", { priority: 99 }).start();
    lan.run(5000);
    a.crash();
    b.input({ kind: "peer-dead", address: master, delayMs: 0 });
    c.input({ kind: "peer-dead", address: master, delayMs: 40 });
    lan.run(5000);
    t.equal(states(b, c), "MASTER+ BACKUP");
    t.notOk(lan.history(c).some((what) => what.startsWith("advert")));
  });

  t.test("the next best goes when the best does not", async (t) => {
    const { lan, a, b } = settledPair();
    const c = lan.add("192.168.33.82", { priority: 99 }).start();
    lan.run(5000);
    const atMs = lan.nowMs;
    a.crash();
    b.crash();
    c.input({ kind: "peer-dead", address: master, delayMs: 40 });
    lan.run(100);
    t.equal(lan.when(c, "BACKUP to MASTER"), atMs + 40);
  });

  t.test("a master that says over the link that it is in FAULT is followed without the skew", async (t) => {
    const { lan, a, b } = settledPair();
    const c = lan.add("192.168.33.82", { priority: 99 }).start();
    lan.run(5000);
    a.input({ kind: "fault", cause: "tracking", reason: "a script says so" });
    const atMs = lan.nowMs;
    for (const [backup, delayMs] of [
      [c, 40],
      [b, 0],
    ] as const)
      backup.input({ kind: "peer-left", address: master, state: "FAULT", delayMs });
    t.equal(b.state.name, "MASTER");
    t.match(b.state.reason, `${master} is in FAULT, as it says over the peer link`);
    t.equal(lan.when(b, "BACKUP to MASTER"), atMs);
    lan.run(5000);
    t.equal(states(a, b, c), "FAULT MASTER+ BACKUP");
  });

  t.test("it moves nothing where the dead one was not the master, or this node is no backup", async (t) => {
    const { lan, a, b } = settledPair();
    b.input({ kind: "peer-dead", address: "192.168.33.99", delayMs: 0 });
    a.input({ kind: "peer-dead", address: "192.168.33.81", delayMs: 0 });
    lan.run(5000);
    t.equal(states(a, b), "MASTER+ BACKUP");
    t.strictSame(lan.history(b), ["INIT to BACKUP", "remove"]);
  });

  t.test("a wrong verdict is over with the master's next advert", async (t) => {
    const { lan, a, b } = settledPair();
    b.input({ kind: "peer-dead", address: master, delayMs: 0 });
    lan.run(1);
    t.equal(states(a, b), "MASTER+ BACKUP", "the living master answers the other one's first advert");
  });
});

t.test("delays", async (t) => {
  t.test(
    "preempt_delay leaves a living master of lower priority in peace for so long, and no longer",
    async (t) => {
      const lan = new SimulatedLan();
      const low = lan.add("192.168.33.80", { priority: 100 }).start();
      lan.run(10_000);
      const high = lan.add("192.168.33.81", { priority: 101, preemptDelayMs: 20_000 }).start();
      const startedMs = lan.nowMs;
      lan.run(20_000);
      t.equal(states(low, high), "MASTER+ BACKUP");
      lan.run(5_500);
      t.equal(states(low, high), "BACKUP MASTER+");
      const tookOverMs = lan.when(high, "BACKUP to MASTER") - startedMs;
      t.ok(
        tookOverMs > 22_000 && tookOverMs < 25_000,
        `${tookOverMs} ms: the delay, and then the master-down interval`,
      );
    },
  );

  t.test(
    "preempt_delay does not delay the takeover from a master that is dead, or that gives up",
    async (t) => {
      for (const end of ["crash", "stop"] as const) {
        const lan = new SimulatedLan();
        const low = lan.add("192.168.33.80", { priority: 100 }).start();
        lan.run(10_000);
        const high = lan.add("192.168.33.81", { priority: 101, preemptDelayMs: 60_000 }).start();
        lan.run(10_000);
        t.equal(states(low, high), "MASTER+ BACKUP");
        if (end === "crash") low.crash();
        else low.input({ kind: "stop", reason: "stopped" });
        lan.run(3_700);
        t.equal(high.state.name, "MASTER", end);
      }
    },
  );

  t.test("the delay begins anew with the next master of lower priority", async (t) => {
    const lan = new SimulatedLan();
    const high = lan.add("192.168.33.81", { priority: 101, preemptDelayMs: 20_000 }).start();
    const advert = (priority: number) => high.input({ kind: "advert", source: "192.168.33.80", priority });
    advert(100);
    const first = high.state.preemptFromMs;
    lan.run(1000);
    advert(100);
    t.equal(high.state.preemptFromMs, first);
    advert(200);
    t.equal(high.state.preemptFromMs, null);
    lan.run(1000);
    advert(100);
    t.equal(high.state.preemptFromMs, lan.nowMs + 20_000);
  });

  t.test("the delay begins anew after a fault", async (t) => {
    const lan = new SimulatedLan();
    const high = lan.add("192.168.33.81", { priority: 101, preemptDelayMs: 20_000 }).start();
    lan.add("192.168.33.80").start();
    lan.run(60_000);
    t.equal(states(high), "MASTER+");
    high.input({ kind: "advert", source: "192.168.33.90", priority: 200 });
    high.input({ kind: "advert", source: "192.168.33.80", priority: 100 });
    lan.run(60_000);
    t.equal(states(high), "MASTER+");
    high.pullCable();
    lan.run(10_000);
    high.plugCable();
    const backMs = lan.nowMs;
    lan.run(60_000);
    const waited = lan.when(high, "BACKUP to MASTER", backMs) - backMs;
    t.ok(waited > 20_000 && waited < 26_000, `after ${waited} ms`);
  });

  t.test("startup_delay keeps even the owner of the addresses silent for so long", async (t) => {
    const lan = new SimulatedLan();
    const owner = lan.add("192.168.33.80", { priority: 255, startupDelayMs: 5000 }).start();
    lan.run(4999);
    t.equal(states(owner), "INIT");
    t.equal(owner.state.reason, "waiting 5 s after the start");
    lan.run(2);
    t.equal(states(owner), "MASTER+");
    t.match(owner.state.reason, "started 5 s ago");
  });

  t.test("startup_delay leaves nothing of a dead process on the interface meanwhile", async (t) => {
    const lan = new SimulatedLan();
    const node = lan.add("192.168.33.80", { startupDelayMs: 5000 });
    node.leaveAddressBehind();
    node.start();
    t.equal(states(node), "INIT");
  });

  t.test("a node that is stopped during its startup_delay does not start any more", async (t) => {
    const lan = new SimulatedLan();
    const node = lan.add("192.168.33.80", { startupDelayMs: 5000 }).start();
    node.input({ kind: "hand-over", assisted: false });
    lan.run(20_000);
    t.equal(states(node), "INIT");
    t.strictSame(lan.history(node), ["remove", "handed over"]);
  });

  t.test("a fault during the startup_delay is found when it is over", async (t) => {
    const lan = new SimulatedLan();
    const node = lan.add("192.168.33.80", { startupDelayMs: 5000 }).start();
    node.pullCable();
    lan.run(6000);
    t.equal(states(node), "FAULT");
  });
});
