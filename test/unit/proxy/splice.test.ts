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

function scene(count: number, ...results: number[]) {
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
  const server = new DirectConnection(owner, true, {
    ...nobody,
    spliced: (_connection, moved, taken) => told.push(`moved ${moved}, ${taken ? "taken" : "it is slow"}`),
  });
  const client = new DirectConnection(owner, false, { ...nobody, drained: () => told.push("drained") });
  const splice = new Splice(server, client, count, kernel, pipes);
  server.splice = splice;
  client.fedBy = splice;
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
