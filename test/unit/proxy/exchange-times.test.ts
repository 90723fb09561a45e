import t from "tap";
import { ExchangeTimes } from "../../../src/proxy/exchange-times.js";

t.test("each part of an exchange has its span", async (t) => {
  const times = new ExchangeTimes();
  times.begin(1_000);
  t.match(times, { queueMs: -1, connectMs: -1, answerMs: -1, isConnected: false });
  times.attempt(1_030);
  times.connecting(1_030);
  times.connected(1_035);
  times.answered(1_055);
  t.match(times, { startedMs: 1_000, queueMs: 30, connectMs: 5, answerMs: 20, isConnected: true });
});

t.test(
  "an attempt at the next server forgets the connection to the last one, and its time is time in queues",
  async (t) => {
    const times = new ExchangeTimes();
    times.begin(0);
    times.attempt(0);
    times.reused();
    t.equal(times.connectMs, 0);
    times.attempt(100);
    t.match(times, { queueMs: 100, connectMs: -1, isConnected: false });
    times.reused();
    times.answered(130);
    t.match(times, { queueMs: 100, connectMs: 0, answerMs: 30 });
  },
);

t.test("one object serves the exchanges of a connection", async (t) => {
  const times = new ExchangeTimes();
  times.begin(0);
  times.attempt(5);
  times.reused();
  times.answered(9);
  times.begin(50);
  t.match(times, { startedMs: 50, queueMs: -1, connectMs: -1, answerMs: -1 });
});
