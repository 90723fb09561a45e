import t from "tap";
import { Balancer } from "../../../src/proxy/balance/balancer.js";
import { createAlgorithm } from "../../../src/proxy/balance/create-algorithm.js";
import { Tried } from "../../../src/proxy/balance/tried.js";
import { QueuePoll } from "../../../src/proxy/queue/queue-poll.js";
import {
  type QueuedServer,
  ServerQueue,
  Sought,
  type Waiter,
} from "../../../src/proxy/queue/server-queue.js";
import { clearServerSlots, createServerSlots, ServerSlots } from "../../../src/proxy/queue/server-slots.js";

/** Several threads over the same servers, in virtual time. */
class Threads {
  nowMs = 1_000;
  readonly weights: number[];
  readonly stopped = new Set<number>();
  readonly queues: readonly ServerQueue[];
  readonly slots: readonly ServerSlots[];
  readonly buffer: SharedArrayBuffer;
  readonly polls: (() => void)[] = [];
  /** Waiting by server; the last: for any. */
  readonly waiting: number[];
  private version = 0;

  constructor(
    readonly servers: readonly QueuedServer[],
    threads = 1,
    isHashed = false,
  ) {
    this.weights = servers.map(() => 256);
    this.waiting = [...servers.map(() => 0), 0];
    this.buffer = createServerSlots([{ servers: [] }, { servers }], threads);
    this.slots = Array.from(
      { length: threads },
      (_, i) => new ServerSlots(this.buffer, [{ servers: [] }, { servers }], 1, i),
    );
    this.queues = this.slots.map((slots, thread) => {
      const algorithm = createAlgorithm({
        balance: isHashed ? "source" : "roundrobin",
        hashType: "map-based",
        serverNames: servers.map((_, i) => `s${i}`),
        loads: { current: (server) => slots.inUse(server) },
        threadIndex: 0,
      });
      const weights = {
        version: () => this.version,
        weight: (server: number) => (this.stopped.has(server) ? 0 : this.weights[server]),
        recoveries: () => 0,
      };
      const states = {
        get version(): number {
          return weights.version();
        },
        weight: weights.weight,
        recoveries: weights.recoveries,
      };
      return new ServerQueue({
        servers,
        isHashed,
        queueMs: 1_000,
        slots,
        states: {
          weight: weights.weight,
          maxconn: () => -1,
          isStopped: (server) => this.stopped.has(server),
          queued: (server) => this.waiting[server < 0 ? servers.length : server],
        },
        balancer: new Balancer(
          servers.map(() => false),
          states,
          algorithm,
          false,
        ),
        poll: new QueuePoll({
          poll: (callback) => {
            this.polls[thread] = callback ?? (() => {});
          },
        }),
        now: () => this.nowMs,
        engineNow: () => this.nowMs,
      });
    });
  }

  stop(server: number): void {
    this.stopped.add(server);
    this.version++;
  }

  poll(): void {
    for (const poll of this.polls) poll?.();
  }

  waiter(change: { asked?: number; key?: number } = {}): Waiter & { at: number; isLate: boolean } {
    const self = {
      tried: new Tried(),
      key: change.key ?? -1,
      asked: change.asked ?? -1,
      at: -1,
      isLate: false,
      queued: (server: number) => {
        this.waiting[server < 0 ? this.servers.length : server]++;
      },
      dequeued: (server: number) => {
        this.waiting[server < 0 ? this.servers.length : server]--;
      },
      granted: (server: number) => {
        self.at = server;
      },
      waitedTooLong: () => {
        self.isLate = true;
      },
    };
    return self;
  }
}

t.test("no server has more than its maxconn, and the oldest waits shortest", async (t) => {
  const one = new Threads([{ maxconn: 1 }, { maxconn: 2 }]);
  const [queue] = one.queues;
  const places = [0, 1, 2].map(() => queue.seek(one.waiter()));
  t.same(places.toSorted(), [0, 1, 1]);
  const waiters = [one.waiter(), one.waiter()];
  t.same(
    waiters.map((waiter) => queue.seek(waiter)),
    [Sought.waits, Sought.waits],
  );
  t.same(one.waiting, [0, 0, 2]);
  queue.release(1);
  t.same(
    waiters.map(({ at }) => at),
    [1, -1],
  );
  queue.release(0);
  t.equal(waiters[1].at, 0);
  t.same([one.slots[0].inUse(0), one.slots[0].inUse(1)], [1, 2]);
  t.same(one.waiting, [0, 0, 0]);
});

t.test("a newcomer does not pass those who wait", async (t) => {
  const one = new Threads([{ maxconn: 1 }]);
  const [queue] = one.queues;
  t.equal(queue.seek(one.waiter()), 0);
  const first = one.waiter();
  queue.seek(first);
  one.slots[0].release(0);
  // The place is free, and nobody has been told of it yet.
  t.equal(queue.seek(one.waiter()), Sought.waits);
  one.poll();
  t.equal(first.at, 0);
});

t.test("who waits too long is told, and leaves no trace", async (t) => {
  const one = new Threads([{ maxconn: 1 }]);
  const [queue] = one.queues;
  queue.seek(one.waiter());
  const [early, late] = [one.waiter(), one.waiter()];
  queue.seek(early);
  one.nowMs += 500;
  queue.seek(late);
  one.nowMs += 499;
  one.poll();
  t.equal(early.isLate, false);
  one.nowMs += 1;
  one.poll();
  t.same([early.isLate, late.isLate], [true, false]);
  queue.leave(late);
  queue.leave(late);
  queue.release(0);
  t.same([queue.length, one.slots[0].inUse(0), late.at], [0, 0, -1]);
});

t.test("a cookie's server has a line of its own, up to maxqueue", async (t) => {
  const one = new Threads([{ maxconn: 1, maxqueue: 1 }, {}]);
  const [queue] = one.queues;
  t.equal(queue.seek(one.waiter({ asked: 0 })), 0);
  const waits = one.waiter({ asked: 0 });
  t.equal(queue.seek(waits), Sought.waits);
  t.same(one.waiting, [1, 0, 0]);
  t.equal(queue.seek(one.waiter({ asked: 0 })), 1, "the line is full: another server");
  t.equal(queue.seek(one.waiter()), 1, "who asks for none goes to who has room");
  queue.release(0);
  t.equal(waits.at, 0);
});

t.test("a hash's server has one too", async (t) => {
  const one = new Threads([{ maxconn: 1 }, { maxconn: 1 }], 1, true);
  const [queue] = one.queues;
  const place = queue.seek(one.waiter({ key: 7 }));
  const again = one.waiter({ key: 7 });
  t.equal(queue.seek(again), Sought.waits);
  t.equal(one.waiting[place], 1);
  queue.release(place);
  t.equal(again.at, place);
});

t.test("whose server goes down waits for any other", async (t) => {
  const one = new Threads([{ maxconn: 1 }, { maxconn: 1 }]);
  const [queue] = one.queues;
  queue.seek(one.waiter({ asked: 0 }));
  queue.seek(one.waiter({ asked: 1 }));
  const waits = one.waiter({ asked: 0 });
  queue.seek(waits);
  one.stop(0);
  one.poll();
  t.same(one.waiting, [0, 0, 1]);
  queue.release(1);
  t.equal(waits.at, 1);
});

t.test("a server that was tried is not given again", async (t) => {
  const one = new Threads([{ maxconn: 1 }, { maxconn: 1 }]);
  const [queue] = one.queues;
  queue.seek(one.waiter({ asked: 0 }));
  queue.seek(one.waiter({ asked: 1 }));
  const moved = one.waiter();
  moved.tried.add(0);
  queue.seek(moved);
  queue.release(0);
  t.equal(moved.at, -1);
  queue.release(1);
  t.equal(moved.at, 1);
  moved.tried.add(1);
  t.equal(queue.seek(moved), Sought.none);
});

t.test("threads share the places, and a place given back in one is found by the other", async (t) => {
  const two = new Threads([{ maxconn: 2 }], 2);
  const [a, b] = two.queues;
  t.equal(a.seek(two.waiter()), 0);
  t.equal(b.seek(two.waiter()), 0);
  const waits = two.waiter();
  t.equal(b.seek(waits), Sought.waits);
  a.release(0);
  t.equal(waits.at, -1);
  two.poll();
  t.equal(waits.at, 0);
  t.equal(two.slots[0].inUse(0), 2);
});

t.test("who has waited longer in another thread goes first", async (t) => {
  const two = new Threads([{ maxconn: 1 }], 2);
  const [a, b] = two.queues;
  t.equal(a.seek(two.waiter()), 0);
  const old = two.waiter();
  b.seek(old);
  two.nowMs += 50;
  const young = two.waiter();
  t.equal(a.seek(young), Sought.waits);
  a.release(0);
  t.same([old.at, young.at], [-1, -1], "its own thread leaves the place to the other");
  t.equal(a.seek(two.waiter()), Sought.waits, "and so does a newcomer");
  two.poll();
  t.same([old.at, young.at], [0, -1]);
  b.release(0);
  two.poll();
  t.equal(young.at, 0);
});

t.test("what a dead thread held is free, and nobody waits for it", async (t) => {
  const two = new Threads([{ maxconn: 1 }], 2);
  const [a, b] = two.queues;
  t.equal(a.seek(two.waiter()), 0);
  a.seek(two.waiter());
  two.nowMs += 100;
  clearServerSlots(two.buffer, [{ servers: [] }, { servers: two.servers }], 0);
  t.equal(b.seek(two.waiter()), 0);
});

t.test("at random: never more than maxconn, nobody is forgotten", async (t) => {
  const maxconn = [1, 3, 2];
  const threads = new Threads(
    maxconn.map((most) => ({ maxconn: most })),
    3,
  );
  let seed = 42;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  const all: { waiter: ReturnType<Threads["waiter"]>; thread: number; place: number }[] = [];
  for (let step = 0; step < 20_000; step++) {
    threads.nowMs += random(3);
    const held = all.filter(({ waiter, place }) => (place >= 0 ? place : waiter.at) >= 0);
    for (const [server, most] of maxconn.entries()) {
      const count = held.filter(({ waiter, place }) => (place >= 0 ? place : waiter.at) === server).length;
      if (count > most) t.fail(`server ${server} has ${count}`);
      if (threads.slots[0].inUse(server) !== count) t.fail(`server ${server}: the books say otherwise`);
    }
    const act = random(4);
    if (act === 0 && all.length < 40) {
      const thread = random(3);
      const waiter = threads.waiter({ asked: random(3) === 0 ? random(3) : -1 });
      all.push({ waiter, thread, place: threads.queues[thread].seek(waiter) });
    } else if (act === 1 && held.length > 0) {
      const one = held[random(held.length)];
      all.splice(all.indexOf(one), 1);
      threads.queues[one.thread].release(one.place >= 0 ? one.place : one.waiter.at);
    } else if (act === 2) {
      threads.poll();
      for (const one of all.filter(({ waiter }) => waiter.isLate)) all.splice(all.indexOf(one), 1);
    } else if (act === 3 && random(20) === 0) {
      const waits = all.filter(({ waiter, place }) => place < 0 && waiter.at < 0);
      if (waits.length > 0) {
        threads.queues[waits[0].thread].leave(waits[0].waiter);
        all.splice(all.indexOf(waits[0]), 1);
      }
    }
  }
  for (let i = 0; i < 200 && all.length > 0; i++) {
    threads.nowMs += 20;
    threads.poll();
    for (const one of all.filter(({ waiter, place }) => place >= 0 || waiter.at >= 0 || waiter.isLate)) {
      all.splice(all.indexOf(one), 1);
      if (!one.waiter.isLate) threads.queues[one.thread].release(one.place >= 0 ? one.place : one.waiter.at);
    }
  }
  t.same(all.length, 0);
  t.same(
    threads.waiting.map((count) => count),
    [0, 0, 0, 0],
  );
  t.same(
    maxconn.map((_, server) => threads.slots[1].inUse(server)),
    [0, 0, 0],
  );
});
