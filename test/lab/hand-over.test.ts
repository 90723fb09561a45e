import t from "tap";
import { sleep, waitFor } from "../../lab/clock.js";
import { electionMs, PlannedMoves } from "../../lab/planned-moves.js";

const box1 = { name: "lb-box1", priority: 102 };
const box2 = { name: "lb-box2", priority: 101 };
const box3 = { name: "lb-box3", priority: 100 };

/** The long connection never ends by itself: so long does a process that stops serve it. */
const drainMs = 15_000;

t.test("planned moves between two linked nodes lose no connection", async (t) => {
  const moves = await PlannedMoves.start(t, { family: 4, balancers: [box1, box2], drainMs });
  const { network, address } = moves;
  let [first] = moves.nodes;

  await t.test("lb drain: another one is master, and what is open goes on", async (t) => {
    moves.nothingFailed(
      await moves.during("lb-box2", async () => {
        t.match(await first.ask("drain"), "draining");
      }),
    );
    t.equal(first.transitions().at(-1)?.to, "BACKUP");
    t.match(await moves.nftTables("lb-box2"), "table ip tandem_51");
  });

  await t.test("undrain: it preempts, and again what is open goes on", async () => {
    moves.nothingFailed(await moves.during("lb-box1", () => first.ask("undrain")));
  });

  await t.test("SIGTERM: the process serves its connections to the end, and exits with 0", async (t) => {
    let exit: Promise<{ code: number | null }> = Promise.resolve({ code: null });
    moves.nothingFailed(
      await moves.during("lb-box2", async () => {
        exit = first.process.stop("SIGTERM", drainMs + 10_000);
      }),
    );
    const { code } = await exit;
    t.equal(code, 0);
    await waitFor("the end of the move", 20_000, async () => (await moves.nftTables("lb-box2")) === "");
    t.equal(await moves.loAddresses("lb-box1"), "");
    await moves.serves();
  });

  await t.test("a restarted node preempts, and what is open goes on", async () => {
    moves.nothingFailed(
      await moves.during("lb-box1", async () => {
        first = moves.startAgain(box1);
      }),
    );
  });

  await t.test("a crash in the middle of a move leaves nothing behind", async (t) => {
    moves.nothingFailed(await moves.during("lb-box2", () => first.ask("drain")));
    await first.kill();
    await waitFor("the kernel's clean-up", 3000 + 2500, async () => {
      const left = [
        await moves.nftTables("lb-box1"),
        await moves.nftTables("lb-box2"),
        await moves.loAddresses("lb-box1"),
      ];
      return left.every((text) => text === "");
    });
    t.same(await network.holdersOf(address), ["lb-box2"]);
    await moves.serves();
    moves.startAgain(box1);
    await network.waitForHolder(address, "lb-box1", electionMs);
    await sleep(500);
    await moves.nodes[1].kill();
    await waitFor(
      "the kernel's clean-up",
      3000 + 2500,
      async () => (await moves.nftTables("lb-box2")) === "",
    );
  });
  await moves.stop();
});

t.test("over IPv6 alone the link goes over link-local addresses, and nothing is lost either", async (t) => {
  const moves = await PlannedMoves.start(t, { family: 6, balancers: [box1, box2], drainMs });
  const [first] = moves.nodes;
  await waitFor("a link between link-local addresses", 30_000, async () =>
    /peer link .*fe80::/.test(await first.ask("show vrrp")),
  );
  moves.nothingFailed(await moves.during("lb-box2", () => first.ask("drain")));
  t.match(await moves.nftTables("lb-box2"), "table ip6 tandem_51");
  moves.nothingFailed(await moves.during("lb-box1", () => first.ask("undrain")));
  moves.nothingFailed(
    await moves.during("lb-box2", async () => {
      void first.process.stop("SIGTERM", drainMs + 10_000);
    }),
  );
  await moves.stop();
});

t.test("from the first node to the second to the third: connections stay where they began", async (t) => {
  const moves = await PlannedMoves.start(t, { family: 4, balancers: [box1, box2, box3], drainMs: 30_000 });
  const [first, second] = moves.nodes;
  moves.nothingFailed(await moves.during("lb-box2", () => first.ask("drain")));
  moves.nothingFailed(await moves.during("lb-box3", () => second.ask("drain")));
  t.match(
    await moves.nftTables("lb-box2"),
    "table ip tandem_51",
    "what is the first one's goes by the second",
  );
  moves.nothingFailed(await moves.during("lb-box1", () => first.ask("undrain")));
  await moves.stop();
});
