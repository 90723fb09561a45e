import { setTimeout } from "node:timers/promises";
import t, { type Test } from "tap";
import { stretchKey } from "../../../src/peer-link/keys.js";
import type { PeerMessage, StateMessage } from "../../../src/peer-link/message.js";
import { PeerLinks } from "../../../src/peer-link/peer-links.js";

const key = stretchKey("a key for the test, long enough");
const port = 13_113;

interface Side {
  readonly links: PeerLinks;
  readonly heard: PeerMessage[];
  /** Undefined: as a version that knows nothing of it. */
  watches: boolean | undefined;
}

function side(t: Test, own: string): Side {
  const heard: PeerMessage[] = [];
  const described: Omit<StateMessage, "watches"> = {
    kind: "state",
    node: own,
    mac: "02:00:00:00:00:01",
    routers: [],
    members: [],
  };
  const made: Side = {
    heard,
    watches: undefined,
    links: new PeerLinks({
      key,
      port,
      log: { info: () => {}, warn: () => {} },
      describe: () => ({ ...described, ...(made.watches !== undefined && { watches: made.watches }) }),
      onDead: () => {},
      onMessage: (_address, message) => heard.push(message),
      onChange: () => {},
    }),
  };
  made.links.listenOn(own, "lo");
  t.teardown(() => made.links.close());
  return made;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(10);
}

t.test(
  "a partner hears of servers while it watches, and only then; one that says nothing of it never",
  async (t) => {
    const a = side(t, "127.0.0.1");
    const b = side(t, "127.0.0.2");
    const reports = (): string[] =>
      b.heard.flatMap((message) => (message.kind === "servers" ? [message.report] : []));
    await until(() => {
      b.links.heard("127.0.0.1", "127.0.0.2", "lo");
      return a.links.isUp("127.0.0.2") && b.links.isUp("127.0.0.1");
    });
    const hearOf = async (watches: boolean | undefined): Promise<void> => {
      const before = a.heard.length;
      b.watches = watches;
      b.links.tellAll();
      await until(() => a.heard.length > before);
    };
    await hearOf(undefined);
    t.equal(a.links.isWatched, false);
    a.links.tellServers("nobody wants it");
    await hearOf(true);
    t.equal(a.links.isWatched, true);
    a.links.tellServers("one");
    await until(() => reports().length > 0);
    await hearOf(false);
    t.equal(a.links.isWatched, false);
    a.links.tellServers("too late");
    a.links.tellAll();
    await setTimeout(50);
    t.same(reports(), ["one"]);
    t.equal(b.links.isUp("127.0.0.1"), true);
  },
);

t.test("what a partner wanted over a link that has ended it wants no more over the next one", async (t) => {
  const a = side(t, "127.0.0.3");
  const old = side(t, "127.0.0.4");
  old.watches = true;
  await until(() => {
    old.links.heard("127.0.0.3", "127.0.0.4", "lo");
    return a.links.isWatched;
  });
  old.links.close();
  await until(() => !a.links.isWatched);
  const again = side(t, "127.0.0.4");
  await until(() => {
    again.links.heard("127.0.0.3", "127.0.0.4", "lo");
    a.links.tellServers("an older version would end the link for this");
    return again.links.isUp("127.0.0.3") && a.links.isUp("127.0.0.4");
  });
  a.links.tellServers("neither now");
  await setTimeout(100);
  t.same(
    again.heard.filter(({ kind }) => kind === "servers"),
    [],
  );
});
