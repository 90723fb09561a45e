import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { SMTPServer } from "smtp-server";
import t, { type Test } from "tap";
import { defaultAlerts } from "../../../../src/config/defaults.js";
import type { AlertConfig, MailConfig } from "../../../../src/config/tracking-config.js";
import type { ControlLog } from "../../../../src/control/control.js";
import { Mailer } from "../../../../src/control/notify/mailer.js";
import { Notifier } from "../../../../src/control/notify/notifier.js";
import type { NoticeJob } from "../../../../src/process/notices.js";

interface Line {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function recorder(): { log: ControlLog; lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return { log: { info: at("info"), warn: at("warn"), error: at("error") }, lines };
}

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), "lb-notify-"));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function start(alerts: Partial<AlertConfig>) {
  const { log, lines } = recorder();
  const begun: number[] = [];
  const notifier = new Notifier({ ...defaultAlerts, ...alerts }, log, (id) => begun.push(id));
  notifier.start();
  let id = 0;
  const take = (...jobs: NoticeJob[]) => notifier.take(jobs.map((job) => ({ id: ++id, job })));
  return { notifier, take, begun, lines };
}

/** A script that notes its name after a while. */
function noting(path: string, name: string, seconds: number): NoticeJob {
  return { lane: "script", words: ["sh", "-c", `sleep ${seconds}; echo ${name} >> ${path}`], user: null };
}

t.test("scripts run one after the other, however long each takes", async (t) => {
  const path = join(folder(t), "notes");
  const { notifier, take, begun } = start({});
  take(noting(path, "a", 0.4), noting(path, "b", 0), noting(path, "c", 0.2), noting(path, "d", 0));
  await notifier.finish(30_000);
  t.equal(readFileSync(path, "utf8"), "a\nb\nc\nd\n");
  t.same(begun, [1, 2, 3, 4]);
});

t.test("a script that hangs is ended at its time-out, and the order stays", async (t) => {
  const path = join(folder(t), "notes");
  const { notifier, take, lines } = start({ scriptTimeoutMs: 400 });
  take(noting(path, "a", 600), noting(path, "b", 0));
  await notifier.finish(30_000);
  t.equal(readFileSync(path, "utf8"), "b\n");
  t.match(
    lines.map(({ level, fields }) => [level, fields.reason]),
    [
      ["warn", "timed out after 400 ms"],
      ["info", "exit code 0"],
    ],
  );
});

t.test("what another thread must do again is what was not begun", async (t) => {
  const path = join(folder(t), "notes");
  const { notifier, take, begun } = start({});
  take(noting(path, "a", 60), noting(path, "b", 0));
  t.same(begun, [1]);
  await notifier.finish(0);
  t.same(begun, [1], "the second one is the next thread's");
});

t.test("a job that is sent twice is done once", async (t) => {
  const path = join(folder(t), "notes");
  const { notifier } = start({});
  const jobs = [{ id: 7, job: noting(path, "a", 0) }];
  notifier.take(jobs);
  notifier.take(jobs);
  await notifier.finish(30_000);
  t.equal(readFileSync(path, "utf8"), "a\n");
});

t.test(
  "the FIFO is made, its lines wait for a reader, and a script that hangs does not hold them up",
  async (t) => {
    const directory = folder(t);
    const path = join(directory, "fifo");
    const { notifier, take } = start({ fifo: { path, script: null } });
    take(
      noting(join(directory, "notes"), "a", 60),
      { lane: "fifo", line: 'INSTANCE "VI_1" BACKUP 100\n' },
      { lane: "fifo", line: 'INSTANCE "VI_1" MASTER 100\n' },
    );
    const read = await promisify(execFile)("head", ["-n", "2", path], { encoding: "utf8" });
    t.equal(read.stdout, 'INSTANCE "VI_1" BACKUP 100\nINSTANCE "VI_1" MASTER 100\n');
    await notifier.finish(0);
  },
);

t.test("a file in the FIFO's place is left alone, and said so", async (t) => {
  const path = join(folder(t), "fifo");
  writeFileSync(path, "mine");
  const { notifier, take, lines } = start({ fifo: { path, script: null } });
  take({ lane: "fifo", line: "x\n" });
  await notifier.finish(5000);
  t.equal(readFileSync(path, "utf8"), "mine");
  t.match(lines[0], {
    level: "error",
    fields: { code: "LB_NOTIFY_FIFO", reason: "it is there, and no FIFO" },
  });
});

t.test("the FIFO's script gets its path, and is started again when it ends", async (t) => {
  const directory = folder(t);
  const path = join(directory, "fifo");
  const out = join(directory, "out");
  const reader = { script: ["sh", "-c", `head -n 1 "$0" >> ${out}`], user: null };
  const { notifier, take, lines } = start({ fifo: { path, script: reader } });
  const written = async (text: string) => {
    while (!existsSync(out) || readFileSync(out, "utf8") !== text)
      await new Promise((r) => setTimeout(r, 20));
  };
  take({ lane: "fifo", line: "one\n" });
  await written("one\n");
  take({ lane: "fifo", line: "two\n" });
  await written("one\ntwo\n");
  t.match(lines[0], { level: "warn", message: "the reader of the FIFO has ended and is started again" });
  await notifier.finish(0);
});

interface Received {
  readonly from: string;
  readonly to: string[];
  readonly user: string;
  readonly text: string;
}

/** A real SMTP server of this process; `refusals`: so many mails it refuses for now first. */
async function smtpServer(t: Test, refusals = 0): Promise<{ mails: Received[]; config: MailConfig }> {
  const mails: Received[] = [];
  let left = refusals;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) => done(null, { user: `${auth.username}:${auth.password}` }),
    onData: (stream, session, done) => {
      let text = "";
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.on("end", () => {
        if (left-- > 0) {
          done(new Error("not now"));
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? "" : mailFrom.address;
        mails.push({
          from,
          to: rcptTo.map(({ address }) => address),
          user: String(session.user ?? ""),
          text,
        });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    mails,
    config: {
      to: ["ops@example.org", "Night Watch <night@example.org>"],
      from: "lb@example.org",
      host: "127.0.0.1",
      port,
      heloName: "lb.example.org",
      connectTimeoutMs: 5000,
      credentials: null,
      tls: "auto",
      routerId: "LB",
    },
  };
}

const mail = (subject: string) =>
  ({ lane: "mail", subject, text: "why\n", epochMs: 1_795_530_000_000 }) as const;

t.test("mails arrive in order, from and to those that are configured, dated when it happened", async (t) => {
  const { mails, config } = await smtpServer(t);
  const { notifier, take, begun } = start({ mail: config });
  take(mail("[LB] VRRP Instance VI_1 - Entering BACKUP state"), mail("second"));
  await notifier.finish(30_000);
  t.match(mails, [
    {
      from: "lb@example.org",
      to: ["ops@example.org", "night@example.org"],
      text: /Subject: \[LB\] VRRP Instance VI_1 - Entering BACKUP state\r\n/,
    },
    { text: /Subject: second\r\n/ },
  ]);
  t.match(mails[0].text, /X-Mailer: Tandem\r\n/);
  t.match(mails[0].text, /Date: Tue, 24 Nov 2026 /);
  t.match(mails[0].text, /\r\n\r\nwhy\r\n/);
  t.same(begun, [1, 2]);
});

t.test("the server gets the name and the password that it wants", async (t) => {
  const { mails, config } = await smtpServer(t);
  const { log } = recorder();
  await new Mailer({ ...config, credentials: { user: "lb", password: "s3cret" } }, log).send(mail("x"));
  t.equal(mails[0].user, "lb:s3cret");
});

t.test("a server that refuses for now is asked again", async (t) => {
  const { mails, config } = await smtpServer(t, 2);
  const { log, lines } = recorder();
  await new Mailer(config, log, [10, 10]).send(mail("x"));
  t.equal(mails.length, 1);
  t.match(lines, [{ level: "info", message: "mail sent" }]);
});

t.test("a mail that nobody takes is an error with a code, and the next one has its turn", async (t) => {
  const { mails, config } = await smtpServer(t, 3);
  const { log, lines } = recorder();
  const mailer = new Mailer(config, log, [10, 10]);
  await mailer.send(mail("x"));
  await mailer.send(mail("y"));
  t.match(lines[0], { level: "error", fields: { code: "LB_MAIL", reason: /not now/, subject: "x" } });
  t.match(mails, [{ text: /Subject: y/ }]);
});

t.test("starttls insists: a server without it gets no mail", async (t) => {
  const { mails, config } = await smtpServer(t);
  const { log, lines } = recorder();
  await new Mailer({ ...config, tls: "starttls" }, log, []).send(mail("x"));
  t.same(mails, []);
  t.match(lines[0], { level: "error", fields: { code: "LB_MAIL" } });
});

t.test("a server that says nothing is given up after its time-out", async (t) => {
  const mute = createServer(() => {});
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  t.teardown(() => mute.close());
  const address = mute.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { config } = await smtpServer(t);
  const { log, lines } = recorder();
  await new Mailer({ ...config, port, connectTimeoutMs: 200 }, log, []).send(mail("x"));
  t.match(lines[0], { level: "error", fields: { code: "LB_MAIL" } });
});

t.test("a killed reader of the FIFO kills nobody", async (t) => {
  const path = join(folder(t), "fifo");
  const { notifier, take, lines } = start({ fifo: { path, script: null } });
  const reader = spawn("cat", [path], { stdio: "ignore" });
  reader.kill("SIGKILL");
  await new Promise((resolve) => reader.once("exit", resolve));
  take({ lane: "fifo", line: "x\n" });
  await notifier.finish(5000);
  t.same(lines, []);
});
