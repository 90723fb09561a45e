import t from "tap";
import { LbError } from "../../../src/errors.js";
import type { InterfaceInfo } from "../../../src/netlink/route-socket.js";
import { AddressKeeper, type KeeperPort } from "../../../src/vrrp/speaker-addresses.js";

type Answer = "done" | LbError;

/** A kernel whose answers the test gives, one request at a time. */
class FakeKernel implements KeeperPort {
  readonly log: string[] = [];
  readonly failures: string[] = [];
  readonly leases: number[] = [];
  index: number | null = 7;
  info: InterfaceInfo | null = null;
  answers: Answer[] = [];
  takesAtOnce = false;
  #gate: Promise<void> = Promise.resolve();

  readonly route = {
    interface: async () => this.info,
    putAddressAtOnce: (entry: { address: string }) => {
      if (this.takesAtOnce) this.log.push(`at once ${entry.address}`);
      return this.takesAtOnce;
    },
    putAddress: (entry: { address: string; leaseMs: number }) => {
      this.leases.push(entry.leaseMs);
      return this.#request(`put ${entry.address}`);
    },
    removeAddress: async (entry: { address: string }) => {
      await this.#request(`remove ${entry.address}`);
      return true;
    },
  };

  interfaceIndex(): number | null {
    return this.index;
  }

  announce(address: string): void {
    this.log.push(`announce ${address}`);
  }

  onPutFailed(reason: string): void {
    this.failures.push(reason);
  }

  onError(message: string): void {
    this.failures.push(message);
  }

  /** Requests wait until the function that it returns is called. */
  block(): () => void {
    let open: () => void = () => {};
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  async #request(what: string): Promise<void> {
    this.log.push(what);
    await this.#gate;
    const answer = this.answers.shift();
    if (answer instanceof LbError) {
      throw answer;
    }
  }
}

const addresses = [{ address: "10.0.0.1", prefixLength: 24 }];

function keeper(kernel: FakeKernel, ownsAddresses = false): AddressKeeper {
  return new AddressKeeper({ interface: "eth1", addresses, leaseMs: 3000, ownsAddresses }, kernel);
}

/** Everything that can go on without an answer of the kernel's has gone on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test("announces after the address is there, not before", async (t) => {
  const kernel = new FakeKernel();
  const open = kernel.block();
  const keeps = keeper(kernel);
  keeps.put();
  keeps.announce(2);
  await turn();
  t.strictSame(kernel.log, ["put 10.0.0.1"]);
  open();
  await keeps.settled();
  t.strictSame(kernel.log, ["put 10.0.0.1", "announce 10.0.0.1", "announce 10.0.0.1"]);
});

t.test(
  "a new master's addresses are there and announced before the kernel has answered anything else",
  async (t) => {
    const kernel = new FakeKernel();
    kernel.takesAtOnce = true;
    const open = kernel.block();
    const keeps = keeper(kernel);
    keeps.put();
    keeps.announce(2);
    t.strictSame(kernel.log, ["at once 10.0.0.1", "announce 10.0.0.1"]);
    open();
    await keeps.settled();
    t.strictSame(kernel.log.slice(2), ["put 10.0.0.1", "announce 10.0.0.1"]);
    keeps.put();
    keeps.announce(1);
    await keeps.settled();
    t.strictSame(kernel.log.slice(4), ["put 10.0.0.1", "announce 10.0.0.1"], "a refresh goes its way");
  },
);

t.test("what goes at once overtakes no removal", async (t) => {
  const kernel = new FakeKernel();
  kernel.takesAtOnce = true;
  const keeps = keeper(kernel);
  keeps.remove();
  keeps.put();
  keeps.announce(1);
  await keeps.settled();
  t.strictSame(kernel.log, ["put 10.0.0.1", "announce 10.0.0.1"]);
});

t.test("a removal waits for the put before it, and the last decision is what stands", async (t) => {
  const kernel = new FakeKernel();
  const open = kernel.block();
  const keeps = keeper(kernel);
  keeps.put();
  await turn();
  keeps.remove();
  keeps.put();
  keeps.announce(1);
  keeps.remove();
  open();
  await keeps.settled();
  t.strictSame(
    kernel.log,
    ["put 10.0.0.1", "remove 10.0.0.1"],
    "what was overtaken by a decision is passed over",
  );
});

t.test("a put after a slow removal comes after it", async (t) => {
  const kernel = new FakeKernel();
  const open = kernel.block();
  const keeps = keeper(kernel);
  keeps.remove();
  await turn();
  keeps.put();
  open();
  await keeps.settled();
  t.strictSame(kernel.log, ["remove 10.0.0.1", "put 10.0.0.1"]);
});

t.test("refreshes do not pile up behind a slow kernel", async (t) => {
  const kernel = new FakeKernel();
  const open = kernel.block();
  const keeps = keeper(kernel);
  keeps.put();
  await turn();
  for (let refresh = 0; refresh < 10; refresh++) {
    keeps.put();
  }
  open();
  await keeps.settled();
  t.strictSame(kernel.log, ["put 10.0.0.1", "put 10.0.0.1"]);
});

t.test("a refusal is told once, with what the kernel said", async (t) => {
  const kernel = new FakeKernel();
  kernel.answers = [new LbError("LB_NETLINK_EINVAL", "adding 10.0.0.1: EINVAL", "")];
  const keeps = keeper(kernel);
  keeps.put();
  await keeps.settled();
  t.strictSame(kernel.failures, ["the virtual address cannot be held: adding 10.0.0.1: EINVAL"]);
});

t.test("a refusal after the decision has changed is nobody's fault", async (t) => {
  const kernel = new FakeKernel();
  kernel.answers = [new LbError("LB_NETLINK_ENODEV", "gone", "")];
  const open = kernel.block();
  const keeps = keeper(kernel);
  keeps.put();
  await turn();
  keeps.remove();
  open();
  await keeps.settled();
  t.strictSame(kernel.failures, []);
});

t.test("a request that was not answered in time is made a second time, and only then a fault", async (t) => {
  const late = new LbError("LB_NETLINK_TIMEOUT", "no answer", "");
  const kernel = new FakeKernel();
  kernel.answers = [late];
  const keeps = keeper(kernel);
  keeps.put();
  await keeps.settled();
  t.strictSame(kernel.failures, []);
  kernel.answers = [late, late];
  keeps.put();
  await keeps.settled();
  t.equal(kernel.failures.length, 1);
});

t.test("without its interface it does nothing", async (t) => {
  const kernel = new FakeKernel();
  kernel.index = null;
  const keeps = keeper(kernel);
  keeps.put();
  keeps.remove();
  await keeps.settled();
  t.strictSame(kernel.log, []);
});

t.test("an owner's own permanent address is announced, and neither leased nor removed", async (t) => {
  const kernel = new FakeKernel();
  const permanent = {
    address: "10.0.0.1",
    prefixLength: 24,
    family: 4,
    leased: false,
    secondary: false,
    tentative: false,
  } as const;
  kernel.info = { index: 7, name: "eth1", mac: new Uint8Array(6), up: true, addresses: [permanent] };
  const keeps = keeper(kernel, true);
  keeps.put();
  keeps.announce(1);
  await keeps.settled();
  keeps.remove();
  await keeps.settled();
  t.strictSame(kernel.log, ["announce 10.0.0.1"]);
  kernel.info = { ...kernel.info, addresses: [{ ...permanent, leased: true }] };
  keeps.remove();
  await keeps.settled();
  t.strictSame(kernel.log, ["announce 10.0.0.1", "remove 10.0.0.1"], "what it leased itself, it does remove");
});

t.test(
  "an address that is to be left alone comes back with the next mastership, and not before",
  async (t) => {
    const kernel = new FakeKernel();
    const keeps = keeper(kernel);
    keeps.put();
    await keeps.settled();
    keeps.leaveAlone("10.0.0.1");
    keeps.put();
    await keeps.settled();
    t.strictSame(kernel.log, ["put 10.0.0.1"]);
    keeps.remove();
    await keeps.settled();
    keeps.put();
    await keeps.settled();
    t.strictSame(kernel.log, ["put 10.0.0.1", "remove 10.0.0.1", "put 10.0.0.1"]);
  },
);

t.test("a reload adds what is new before it removes what is gone, and leaves the rest alone", async (t) => {
  const kernel = new FakeKernel();
  const keeps = keeper(kernel);
  keeps.put();
  await keeps.settled();
  kernel.log.length = 0;
  const settings = { interface: "eth1", leaseMs: 3000, ownsAddresses: false };
  keeps.change({ ...settings, addresses: [...addresses, { address: "10.0.0.2", prefixLength: 24 }] });
  await keeps.settled();
  t.same(kernel.log, [], "the next put brings what is new");
  keeps.put();
  await keeps.settled();
  t.same(kernel.log.splice(0), ["put 10.0.0.1", "put 10.0.0.2"]);
  keeps.change({ ...settings, addresses: [{ address: "10.0.0.2", prefixLength: 24 }] });
  await keeps.settled();
  t.same(kernel.log.splice(0), ["put 10.0.0.2", "remove 10.0.0.1"]);
});

t.test("an address that a reload takes away goes even when mastership is lost just then", async (t) => {
  const kernel = new FakeKernel();
  const keeps = keeper(kernel);
  keeps.put();
  keeps.change({ interface: "eth1", leaseMs: 3000, ownsAddresses: false, addresses: [] });
  keeps.remove();
  await keeps.settled();
  t.equal(kernel.log.at(-1), "remove 10.0.0.1");
});

t.test("an address with another scope is removed and put again, for the kernel changes none", async (t) => {
  const kernel = new FakeKernel();
  const keeps = keeper(kernel);
  keeps.put();
  await keeps.settled();
  kernel.log.length = 0;
  const link = [{ address: "10.0.0.1", prefixLength: 24, scope: "link" as const }];
  keeps.change({ interface: "eth1", leaseMs: 3000, ownsAddresses: false, addresses: link });
  await keeps.settled();
  t.same(kernel.log, ["remove 10.0.0.1", "put 10.0.0.1"]);
});

t.test(
  "the lease outlasts a stand-still when the addresses are held, and is as ever with the next put",
  async (t) => {
    const kernel = new FakeKernel();
    const keeps = keeper(kernel);
    await keeps.outlast(4000);
    t.same(kernel.leases, []);
    keeps.put();
    await keeps.outlast(4000);
    keeps.put();
    await keeps.settled();
    t.same(kernel.leases, [3000, 7000, 3000]);
  },
);
