import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { connect as connectTls, createSecureContext, TLSSocket } from "node:tls";
import t from "tap";
import { makeCertificate } from "../../../lab/certificate.js";

/** The portable engine gives TLS what lies in the room where all receive, and receives into it again at once. */
t.test(
  "what TLS is given when nothing waits in front of it is encrypted when the call returns",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "lb-tls-"));
    const { certificate, key } = makeCertificate(folder, "test");
    const secureContext = createSecureContext({ cert: readFileSync(certificate), key: readFileSync(key) });
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const accepted = once(server, "connection");
    const tcp = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [far] = await accepted;
    const sender = new TLSSocket(far, { isServer: true, secureContext });
    const receiver = connectTls({ socket: tcp, rejectUnauthorized: false });
    t.teardown(() => {
      receiver.destroy();
      sender.destroy();
      server.close();
      rmSync(folder, { recursive: true });
    });
    await once(receiver, "secureConnect");
    const room = Buffer.alloc(73_728);
    const letterOf = (turn: number): number => 0x61 + (turn % 26);
    let sent = 0;
    // Nobody reads: the last of them finds no room in the kernel.
    while (sent < 1_000 && sender.writableLength === 0) {
      room.fill(letterOf(sent++));
      sender.write(room);
      room.fill(0);
      await setTimeout(5);
    }
    t.ok(sender.writableLength > 0, `the kernel is full after ${sent} writes`);
    const chunks: Buffer[] = [];
    let bytes = 0;
    receiver.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
    });
    while (bytes < sent * room.length) await once(receiver, "data");
    const received = Buffer.concat(chunks);
    for (let turn = 0; turn < sent; turn++) {
      const part = received.subarray(turn * room.length, (turn + 1) * room.length);
      if (!part.every((byte) => byte === letterOf(turn))) t.fail(`write ${turn} of ${sent} was changed`);
    }
  },
);
