import t from "tap";
import { Inquiries } from "../../../src/process/inquiries.js";
import type { Inquiry, InquiryPart } from "../../../src/process/inquiry.js";

const inquiry: Inquiry = { about: "cut-session", id: 1 };
const part = (sessions: number): InquiryPart => ({ kind: "cut", sessions });

function asked(threads: number) {
  const inquiries = new Inquiries();
  const ids: number[] = [];
  const parts: InquiryPart[] = [];
  const ended = new Promise<number>((resolve) => {
    inquiries.ask(
      Array.from({ length: threads }, () => ({ inquire: (id: number) => ids.push(id) })),
      inquiry,
      { onPart: (one) => parts.push(one), onEnd: resolve },
    );
  });
  return { inquiries, ids, parts, ended };
}

t.test("an inquiry ends when every thread has told everything", async (t) => {
  const { inquiries, ids, parts, ended } = asked(2);
  t.equal(ids.length, 2);
  inquiries.told(ids[0], part(1), false);
  inquiries.told(ids[1], part(2), true);
  inquiries.told(ids[0], part(3), true);
  t.equal(await ended, 0);
  inquiries.told(ids[0], part(4), true);
  t.same(parts, [part(1), part(2), part(3)]);
});

t.test("without a thread it ends at once", async (t) => {
  t.equal(await asked(0).ended, 0);
});

t.test("a thread that tells nothing is not waited for, and is counted", async (t) => {
  const { inquiries, ids, ended } = asked(2);
  inquiries.told(ids[0], part(1), true);
  // Its timer keeps no process alive.
  const alive = setInterval(() => {}, 1_000);
  t.equal(await ended, 1);
  clearInterval(alive);
});
