import t from "tap";
import { describeCommand, parseCommand } from "../../../src/config/command-words.js";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";

const machine = { hostname: "lb-box1", cores: 2 };

function problems(text: string): string[] {
  return loadConfig(text, "lb.yaml", machine).problems.map(describeProblem);
}

function warnings(text: string): string[] {
  return loadConfig(text, "lb.yaml", machine).warnings.map(describeProblem);
}

/** Two instances, with lines in the first one and sections behind. */
function file(lines: readonly string[], sections = ""): string {
  return `vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    priority: 101
    virtual_ipaddress: 192.168.33.84/24
${lines.map((line) => `    ${line}\n`).join("")}  VI_2:
    interface: eth2
    virtual_router_id: 52
    virtual_ipaddress: 192.168.34.84/24
${sections}`;
}

t.test("everything that can be tracked and told, in keepalived's words", async (t) => {
  const text = `
vrrp_script:
  check: { script: "/usr/bin/check 'a b' c\\\\ d", interval: 2, timeout: 500ms, weight: -20, rise: 2, fall: 3, user: nobody, init_fail: true }
vrrp_track_file:
  offset: { file: /run/offset, init_file: 5 overwrite }
vrrp_track_process:
  web: { process: nginx, quorum: 2, delay: 0.5, weight: 10 reverse }
vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    priority: 101
    partner_priority: 100
    virtual_ipaddress: 192.168.33.84/24
    track_interface: [eth0, eth2 weight -30]
    track_script: check
    track_file: [offset weight 2 reverse]
    track_process: web
    notify: /usr/local/bin/told
    notify_master: { script: "/usr/local/bin/up now", user: www-data adm }
    smtp_alert: false
  VI_2:
    interface: eth2
    virtual_router_id: 52
    priority: 101
    virtual_ipaddress: 192.168.34.84/24
vrrp_sync_group:
  VG_1: { group: [VI_1, VI_2], track_script: check weight 0, notify_fault: /bin/alarm }
fitness: { threads: -100, listeners: false, servers: false, control: fault }
global_defs:
  router_id: LB
  script_user: daemon
  notification_email: [ops@example.org, "Ops <ops2@example.org>"]
  notification_email_from: lb@example.org
  smtp_server: 10.0.0.25 587
  smtp_helo_name: lb.example.org
  smtp_connect_timeout: 5
  smtp_user: lb
  smtp_password: 0123
  smtp_tls: starttls
  smtp_alert: true
  notify_fifo: /run/lb/fifo
  notify_fifo_script: /usr/local/bin/reader
  notify_timeout: 10
`;
  const { config, problems, warnings } = loadConfig(text, "lb.yaml", machine);
  t.same(problems, []);
  t.same(warnings, []);
  const daemon = { user: "daemon", group: null };
  t.same(config?.tracking, {
    scripts: [
      {
        name: "check",
        script: ["/usr/bin/check", "a b", "c d"],
        intervalMs: 2000,
        timeoutMs: 500,
        rise: 2,
        fall: 3,
        initFail: true,
        user: { user: "nobody", group: null },
      },
    ],
    files: [{ name: "offset", file: "/run/offset", init: { value: 5, overwrite: true } }],
    processes: [
      {
        name: "web",
        process: ["nginx"],
        fullCommand: false,
        quorum: 2,
        forkDelayMs: 500,
        terminateDelayMs: 500,
      },
    ],
  });
  t.same(config?.vrrp[0].track, {
    interfaces: [
      { name: "eth0", weight: 0, reverse: false },
      { name: "eth2", weight: -30, reverse: false },
    ],
    scripts: [{ name: "check", weight: -20, reverse: false }],
    files: [{ name: "offset", weight: 2, reverse: true }],
    processes: [{ name: "web", weight: 10, reverse: true }],
  });
  t.same(config?.vrrp[0].notify, {
    master: { script: ["/usr/local/bin/up", "now"], user: { user: "www-data", group: "adm" } },
    backup: null,
    fault: null,
    stop: null,
    any: { script: ["/usr/local/bin/told"], user: daemon },
    priorityChanges: false,
    smtpAlert: false,
  });
  t.match(config?.syncGroups, [
    {
      name: "VG_1",
      members: ["VI_1", "VI_2"],
      track: { scripts: [{ name: "check", weight: 0 }] },
      notify: { fault: { script: ["/bin/alarm"], user: daemon }, smtpAlert: true },
    },
  ]);
  t.same(config?.fitness, { threads: -100, listeners: null, servers: null, control: "fault" });
  t.same(config?.alerts, {
    fifo: { path: "/run/lb/fifo", script: { script: ["/usr/local/bin/reader"], user: daemon } },
    mail: {
      to: ["ops@example.org", "Ops <ops2@example.org>"],
      from: "lb@example.org",
      host: "10.0.0.25",
      port: 587,
      heloName: "lb.example.org",
      connectTimeoutMs: 5000,
      credentials: { user: "lb", password: "0123" },
      tls: "starttls",
      routerId: "LB",
    },
    scriptTimeoutMs: 10_000,
  });
});

t.test("what is left out has keepalived's defaults", async (t) => {
  const { config } = loadConfig(
    file(
      ["track_script: check", "track_file: offset", "track_process: web"],
      "vrrp_script: { check: { script: /bin/true } }\nvrrp_track_file: { offset: { file: /o } }\nvrrp_track_process: { web: { process: nginx } }\nglobal_defs: { notification_email: ops@example.org }\n",
    ),
    "lb.yaml",
    machine,
  );
  t.match(config?.tracking.scripts[0], { intervalMs: 1000, timeoutMs: 1000, rise: 1, fall: 1, user: null });
  t.match(config?.tracking.processes[0], { quorum: 1, forkDelayMs: 0, terminateDelayMs: 0 });
  t.match(config?.vrrp[0].track, {
    scripts: [{ weight: 0 }],
    files: [{ weight: 1 }],
    processes: [{ weight: 1 }],
  });
  t.match(config?.alerts.mail, {
    host: "127.0.0.1",
    port: 25,
    from: "root@lb-box1",
    routerId: "lb-box1",
    tls: "auto",
  });
});

t.test("names that are not declared are found, with the nearest", async (t) => {
  t.same(
    problems(
      file(["track_script: [chek, check weigth 3]"], "vrrp_script: { check: { script: /bin/true } }\n"),
    ),
    [
      'lb.yaml:7:20: there is no vrrp_script "chek". Did you mean check?',
      'lb.yaml:7:26: "weigth" is not known behind check. Write check weight -20.',
    ],
  );
  t.match(problems(file(["track_file: offset"])), [
    /there is no vrrp_track_file "offset"\. Declare it at the top, as vrrp_track_file:/,
  ]);
  t.match(problems(file([], "vrrp_sync_group: { VG: { group: [VI_1, VI_3] } }\n")), [
    /there is no instance "VI_3"\. Did you mean VI_1\?/,
  ]);
});

t.test("weights out of range, twice, or no numbers", async (t) => {
  t.match(problems(file(["track_interface: [eth0 weight 300, eth1 weight x, eth1, eth/2]"])), [
    /"300" is not a weight\. Write a number from -253 to 253/,
    /"x" is not a weight/,
    /eth1 is tracked twice/,
    /"eth\/2" is not a name that an interface can have/,
  ]);
  t.match(problems(file([], "fitness: { servers: fault, threads: 3 }\n")), [
    /servers is "fault"\. Write a weight .* \(both nodes may see the same, so it cannot be a fault\)/,
    /threads is 3/,
  ]);
});

t.test("an instance goes with one group, and the members' priorities should be the same", async (t) => {
  t.match(problems(file([], "vrrp_sync_group: { A: { group: [VI_1, VI_2] }, B: { group: VI_2 } }\n")), [
    /VI_2 is in A already/,
  ]);
  t.match(warnings(file([], "vrrp_sync_group: { A: { group: [VI_1, VI_2] } }\n")), [
    /the priorities in A differ: VI_1 101, VI_2 100/,
  ]);
  t.match(warnings(file([], "vrrp_sync_group: { A: { group: VI_1 } }\n")), [/A has one member only/]);
  t.match(problems(file([], "vrrp_sync_group: { A: {} }\n")), [/A has no members/]);
});

t.test("a weight that cannot bridge the gap to the partner is warned of", async (t) => {
  const scripts = "vrrp_script: { check: { script: /bin/true, weight: -2 } }\n";
  t.same(warnings(file(["track_script: check", "partner_priority: 90"], scripts)), [
    "lb.yaml:7:19: the weight -2 of check cannot bridge the 11 between priority 101 here and 90 at the partner. Choose a greater one, or bring the priorities closer together.",
  ]);
  t.same(warnings(file(["track_script: check", "partner_priority: 100"], scripts)), []);
  t.same(warnings(file(["track_script: check"], scripts)), [], "nobody knows the partner's");
  t.same(
    warnings(file(["track_script: check weight 0", "partner_priority: 90"], scripts)),
    [],
    "a fault bridges all",
  );
});

t.test("weights that do nothing at the ends of the scale are warned of", async (t) => {
  t.match(warnings(file(["track_interface: eth0 weight -20"]).replace("priority: 101", "priority: 255")), [
    /the weight -20 of eth0 changes nothing at the priority 255 of VI_1/,
  ]);
  t.match(warnings(file(["track_interface: eth0 weight 60"]).replace("priority: 101", "priority: 200")), [
    /with everything up that VI_1 tracks its priority would be 260, and 254 is the highest/,
  ]);
});

t.test("servers that fail must be able to move the address too, where there is a proxy", async (t) => {
  const proxies = "proxies: { http: { bind: ':80', servers: { a: '10.0.0.1:80' } } }\n";
  t.match(warnings(file(["partner_priority: 40"], proxies)), [
    /the -50 of a proxy that reaches no server cannot bridge the 61 between priority 101 here and 40/,
  ]);
  t.same(warnings(file(["partner_priority: 60"], proxies)), []);
});

t.test("what nobody tracks is warned of", async (t) => {
  t.match(warnings(file([], "vrrp_script: { check: { script: /bin/true } }\n")), [/nobody tracks check/]);
});

t.test("mails: addresses, servers, and who gets the password", async (t) => {
  const global = (words: string) => file([], `global_defs: { ${words} }\n`);
  t.match(problems(global('notification_email: [ops, "a@b\\r\\nBcc: c@d"]')), [
    /"ops" is not a mail address/,
    /is not a mail address/,
  ]);
  t.match(problems(global("smtp_server: 10.0.0.1 70000")), [/"10.0.0.1 70000" is not a mail server/]);
  t.match(problems(global("smtp_user: lb")), [/smtp_user has no smtp_password/]);
  t.match(problems(global("notify_fifo_script: /bin/cat")), [/notify_fifo_script has no notify_fifo/]);
  t.match(problems(global("notify_fifo: fifo")), [/"fifo" is not an absolute path/]);
  t.match(warnings(global("notification_email: a@b, smtp_user: x, smtp_password: y")), [
    /with smtp_tls auto nobody checks who gets the password/,
  ]);
});

t.test("words that a declaration needs", async (t) => {
  t.match(
    problems(
      file(
        [],
        "vrrp_script: { a: {} }\nvrrp_track_file: { b: {}, c: { file: x, init_file: y } }\nvrrp_track_process: { d: {} }\n",
      ),
    ),
    [
      /a has no script/,
      /b has no file/,
      /"x" is not an absolute path/,
      /"y" cannot begin a file/,
      /d has no process/,
    ],
  );
});

t.test("a process's name is compared as the kernel cuts it", async (t) => {
  t.match(
    warnings(file(["track_process: p"], "vrrp_track_process: { p: { process: a-name-that-is-long } }\n")),
    [/the kernel cuts the name a-name-that-is-long to 15 bytes/],
  );
});

t.test("a command is words, with quotes and backslashes and without a shell", async (t) => {
  const words = (text: string) => {
    const result = parseCommand(text);
    return result.ok ? result.value : result.message;
  };
  t.same(words("killall -0 haproxy"), ["killall", "-0", "haproxy"]);
  t.same(words(`  a "b c"d 'e"f' g\\ h "i\\"j" '' $X|y `), ["a", "b cd", 'e"f', "g h", 'i"j', "", "$X|y"]);
  t.match(words(`a "b`), /ends inside "/);
  t.equal(words("  "), "the command is empty");
  t.same(words(describeCommand(["a b", "", 'c"d', "e\\f", "g'h"])), ["a b", "", 'c"d', "e\\f", "g'h"]);
});
