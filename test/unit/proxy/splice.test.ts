import t from "tap";
import { DescriptorLedger } from "../../../src/proxy/engine/direct/descriptor-ledger.js";
import { DirectConnection, type DirectOwner } from "../../../src/proxy/engine/direct/direct-connection.js";
import { Errno, Kernel } from "../../../src/proxy/engine/direct/kernel.js";
import { blocksAt } from "../../../src/proxy/engine/direct/layout.js";
import { Pipes } from "../../../src/proxy/engine/direct/pipes.js";
import { Splice } from "../../../src/proxy/engine/direct/splice.js";
import { nobody } from "../../../src/proxy/engine/engine.js";

/** A kernel whose splices come out as they are told: in and out of the pipe in turns. */
class ScriptedKernel extends Kernel {
  constructor(private readonly results: number[]) {
    super(blocksAt, new DescriptorLedger());
  }

  override splice(): number {
    const next = this.results.shift();
    if (next === undefined) throw new Error("one splice more than there should be");
    return next;
  }
}

/** A response of `count` bytes on its way to a client. */
const scene = (count: number, ...results: number[]) => sceneOf(false, count, results);

/** A request's body on its way to a server. */
const uploadScene = (count: number, ...results: number[]) => sceneOf(true, count, results);

function sceneOf(isUpload: boolean, count: number, results: number[]) {
  const kernel = new ScriptedKernel(results);
  const owner: DirectOwner = {
    kernel,
    arm() {},
    disarm() {},
    later: (connection) => later.push(connection),
    drop() {},
    forget() {},
    keep: (size) => ({ bytes: new Uint8Array(size), start: 0 }),
    giveBack() {},
    open: () => -Errno.noMemory,
  };
  const told: string[] = [];
  const later: DirectConnection[] = [];
  const pipes = new Pipes(kernel);
  const from = {
    ...nobody,
    spliced: (_connection: unknown, moved: number, taken: boolean) =>
      told.push(`moved ${moved}, ${taken ? "taken" : "it is slow"}`),
  };
  const to = { ...nobody, drained: () => told.push("drained") };
  const server = new DirectConnection(owner, true, isUpload ? to : from);
  const client = new DirectConnection(owner, false, isUpload ? from : to);
  const [source, target] = isUpload ? [client, server] : [server, client];
  const splice = new Splice(source, target, count, kernel, pipes);
  source.splice = splice;
  target.fedBy = splice;
  const end = (): void => {
    splice.end();
    pipes.destroy();
    kernel.destroy();
  };
  return { splice, told, pipes, client, server, later, end };
}

t.test("who was told that the other side is slow is told when it takes on", async (t) => {
  await t.test("also when that is found out by trying, with the last bytes of the splice", async (t) => {
    const { splice, told, pipes, client, end } = scene(100, 100, -Errno.again, 100);
    t.equal(splice.pump(), false);
    t.same(told, ["moved 0, it is slow"]);
    splice.pump();
    t.same(told, ["moved 0, it is slow", "drained", "moved 100, taken"]);
    t.equal(client.fedBy, null, "it is over");
    t.equal(pipes.used, 0);
    end();
  });

  await t.test("once, and again when it becomes slow again", async (t) => {
    const { splice, told, end } = scene(100, 100, -Errno.again, 40, -Errno.again, 60);
    splice.pump();
    splice.pump();
    t.same(told, ["moved 0, it is slow", "drained", "moved 40, taken", "moved 0, it is slow"]);
    splice.pump();
    t.same(told.slice(4), ["drained", "moved 60, taken"]);
    end();
  });

  await t.test("and not twice when the kernel says so as well", async (t) => {
    const { splice, told, end } = scene(100, 100, -Errno.again, 100);
    splice.pump();
    t.equal(splice.unblock(), true, "the connection's owner tells it now");
    splice.pump();
    t.same(told, ["moved 0, it is slow", "moved 100, taken"]);
    end();
  });

  await t.test("on a later turn, when the splice ends in between", async (t) => {
    const { splice, told, client, server, later, end } = scene(100, 100, -Errno.again);
    splice.pump();
    server.close(true);
    t.same(told, ["moved 0, it is slow"], "not from inside of the call that ended it");
    t.same(later, [client]);
    client.proceed();
    client.proceed();
    t.same(told, ["moved 0, it is slow", "drained"]);
    end();
  });

  await t.test("unless it is gone by then", async (t) => {
    const { splice, told, client, server, later, end } = scene(100, 100, -Errno.again);
    splice.pump();
    client.close(true);
    server.close(true);
    t.same(later, []);
    t.same(told, ["moved 0, it is slow"]);
    end();
  });
});

const brokenPipe = 32;

t.test(
  "when a server's connection breaks, what was in the pipe counts as sent: where the request ends must be found",
  async (t) => {
    const { splice, told, pipes, client, server, later, end } = uploadScene(500, 100, 40, -brokenPipe);
    t.equal(splice.pump(), false);
    t.same(told, ["moved 40, taken", "moved 60, taken"]);
    t.same(later, [server, client], "the server's last words are read before more of the client's");
    t.equal(client.splice, null);
    t.equal(client.isPaused, false);
    t.equal(pipes.used, 0);
    end();
  },
);

t.test("when a client's connection breaks, nothing is read of a response that has a gap", async (t) => {
  const { splice, told, pipes, client, server, later, end } = scene(500, 100, 40, -brokenPipe);
  t.equal(splice.pump(), false);
  t.same(told, ["moved 40, taken"]);
  t.same(later, [client], "its owner hears that it is gone");
  t.equal(server.isPaused, true);
  t.equal(pipes.used, 0);
  end();
});
