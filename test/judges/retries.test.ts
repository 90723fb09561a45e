import { FIN, get, HOLD, ok, post, status } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const three = { a: {}, b: {}, c: {} };

/** HAProxy counts the move of a request that had been sent as a retry as well, and the failure that led to it not at all. */
const tried = { "a wretr": ["1", ""], "BACKEND wretr": ["1", ""] } as const;
const failed = { ...tried, "a eresp": ["", "1"], "BACKEND eresp": ["", "1"] } as const;
const refused = { "dead econ": ["", "1"], "BACKEND econ": ["", "1"] } as const;

theme(
  "retries and redispatch",
  {
    proxies: {
      moved: { balance: "first", servers: { dead: { at: "nobody" }, b: {} }, retries: 1 },
      posted: { balance: "first", servers: { dead: { at: "nobody" }, b: {} }, retries: 1 },
      never: { balance: "first", servers: { dead: { at: "nobody" }, b: {} }, retries: 0 },
      empty: { balance: "first", servers: three, retries: 1, retryOn: ["empty-response"] },
      again: { balance: "first", servers: three, retries: 2, retryOn: ["empty-response"] },
      vain: { balance: "first", servers: { a: {}, b: {} }, retries: 1, retryOn: ["empty-response"] },
      late: {
        balance: "first",
        servers: three,
        retries: 1,
        retryOn: ["response-timeout"],
        timeouts: { server: 1_000 },
      },
      busy: { balance: "first", servers: three, retries: 2, retryOn: ["503", "404"] },
      all: { balance: "first", servers: three, retries: 2, retryOn: ["all-retryable-errors"] },
      plain: { balance: "first", servers: three, retries: 2, retryOn: ["none"] },
    },
  },
  [
    {
      name: "a refused connection moves on",
      proxy: "moved",
      client: async (client) => {
        await client.ask(get("/1"));
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
      asked: ["b GET /1"],
      tandem: { because: "attempts", cells: refused },
    },
    {
      name: "a POST whose connection is refused moves on as well, for nothing of it was sent",
      proxy: "posted",
      client: async (client) => {
        await client.ask(post("/1", "body"));
      },
      sees: ['200 "hello"'],
      log: ["200 ----"],
      asked: ["b POST /1"],
      tandem: { because: "attempts", cells: refused },
    },
    {
      name: "retries 0 moves nothing",
      proxy: "never",
      client: async (client) => {
        await client.ask(get("/1"));
      },
      sees: ["503 of the proxy"],
      log: ["503 SC--"],
      asked: [],
    },
    {
      name: "an empty response moves a request on",
      proxy: "empty",
      servers: { reply: ({ server }) => (server === "a" ? [FIN] : [ok(server)]) },
      client: async (client) => {
        await client.ask(get("/1"));
      },
      sees: ['200 "b"'],
      log: ["200 ----"],
      asked: ["a GET /1", "b GET /1"],
      tandem: { because: "attempts", cells: failed },
    },
    {
      name: "a second retry comes back to the first server",
      proxy: "again",
      servers: { reply: ({ server }) => (server === "c" ? [ok("c")] : [FIN]) },
      client: async (client) => {
        await client.ask(get("/1"));
      },
      sees: ["502 of the proxy"],
      log: ["502 SH--"],
      asked: ["a GET /1", "b GET /1", "a GET /1"],
      tandem: {
        because: "other-server",
        sees: ['200 "c"'],
        log: ["200 ----"],
        asked: ["a GET /1", "b GET /1", "c GET /1"],
        cells: "follow",
      },
    },
    {
      name: "where every server's response is empty it is a 502",
      proxy: "vain",
      servers: { reply: () => [FIN] },
      client: async (client) => {
        await client.ask(get("/1"));
      },
      sees: ["502 of the proxy"],
      log: ["502 SH--"],
      asked: ["a GET /1", "b GET /1"],
      tandem: { because: "attempts", cells: { ...tried, "a eresp": ["", "1"], "BACKEND eresp": ["1", "2"] } },
    },
    {
      name: "a response that is late moves a request on",
      proxy: "late",
      servers: { reply: ({ server }) => (server === "a" ? [HOLD] : [ok(server)]) },
      client: async (client) => {
        await client.ask(get("/1"));
      },
      sees: ['200 "b"'],
      log: ["200 ----"],
      asked: ["a GET /1", "b GET /1"],
      tandem: { because: "attempts", cells: failed },
    },
    {
      name: "a status on the list moves a request on",
      proxy: "busy",
      servers: { reply: ({ server }) => (server === "a" ? [status("503 Busy")] : [ok(server)]) },
      client: async (client) => {
        await client.ask(get("/1"));
      },
      sees: ['200 "b"'],
      log: ["200 ----"],
      asked: ["a GET /1", "b GET /1"],
      tandem: { because: "attempts", cells: failed },
    },
    {
      name: "a status that is not on the list is the client's",
      proxy: "busy",
      servers: { reply: () => [status("500 Oops")] },
      client: async (client) => {
        await client.ask(get("/1"));
      },
      sees: ["500"],
      log: ["500 ----"],
      asked: ["a GET /1"],
    },
    {
      name: "where every server answers so, the last answer is the client's",
      proxy: "busy",
      servers: { reply: ({ number }) => [status("404 Not here", `X-Number: ${number}`)] },
      client: async (client) => {
        const { fields } = await client.ask(get("/1"));
        client.note(fields.filter((field) => field.startsWith("x-number")).join());
      },
      sees: ["404", "x-number: 3"],
      log: ["404 ----"],
      asked: ["a GET /1", "b GET /1", "a GET /1"],
      tandem: {
        because: "other-server",
        asked: ["a GET /1", "b GET /1", "c GET /1"],
        log: ["404 ----"],
        cells: "follow",
      },
    },
    {
      name: "all-retryable-errors are those of the list",
      proxy: "all",
      servers: { reply: ({ number }) => (number === 1 ? [status("502 Bad")] : [ok("second")]) },
      client: async (client) => {
        await client.ask(get("/1"));
      },
      sees: ['200 "second"'],
      log: ["200 ----"],
      asked: ["a GET /1", "b GET /1"],
      tandem: { because: "attempts", cells: failed },
    },
    {
      name: "none moves nothing",
      proxy: "plain",
      servers: { reply: () => [FIN] },
      client: async (client) => {
        await client.ask(get("/1"));
      },
      sees: ["502 of the proxy"],
      log: ["502 SH--"],
      asked: ["a GET /1"],
    },
  ],
);
