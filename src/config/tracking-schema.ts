import Type from "typebox";
import { closed, oneOrMore, plainText, seconds, text, truth, whole } from "./schema-words.js";

/** The words for what an instance tracks and whom it notifies: keepalived's. */

function weight(most: number, description: string) {
  const title = `a weight from -${most} to ${most}, or one with "reverse" behind it`;
  return Type.Optional(
    Type.Union([Type.Integer({ minimum: -most, maximum: most }), Type.String()], { title, description }),
  );
}

const userTitle = "a user's name, or a user's and a group's";

export const scriptSchema = Type.Object(
  {
    script: text("a command such as /usr/local/bin/check --fast", "Exit code 0 is up. No shell is between."),
    interval: seconds("From one start to the next. Default 1s."),
    timeout: seconds("When it is ended, and has failed. Default: the interval."),
    weight: weight(253, "Default for who tracks it. Default 0: down is a fault."),
    rise: whole(1, 1000, "Successes in a row that make it up. Default 1."),
    fall: whole(1, 1000, "Failures in a row that make it down. Default 1."),
    user: text(userTitle, "Default: script_user, else Tandem's own."),
    init_fail: truth(
      "Down until its first success. Default false: nothing is decided before its first result.",
    ),
  },
  { ...closed, title: "a mapping with script, interval, timeout, rise, fall and weight" },
);

export const trackFileSchema = Type.Object(
  {
    file: text("a path", "Holds a number; it counts times the weight. A file that cannot be read holds 0."),
    weight: weight(2_147_483_647, "Default for who tracks it. Default 1; 0: any number but 0 is a fault."),
    init_file: Type.Optional(
      Type.Union([Type.Integer(), Type.String(), Type.Boolean()], {
        title: 'a number, or one with "overwrite" behind it',
        description: "Written at the start if there is no file; with overwrite, always.",
      }),
    ),
  },
  { ...closed, title: "a mapping with file and weight" },
);

export const trackProcessSchema = Type.Object(
  {
    process: text("a process's name, or a command with its arguments", "The name as in /proc/PID/comm."),
    full_command: truth("Compare /proc/PID/cmdline, and not the name alone. Default false."),
    quorum: whole(1, 65_535, "So many must run. Default 1."),
    weight: weight(254, "Default for who tracks it. Default 1; 0: down is a fault."),
    delay: seconds("Both delays at once."),
    fork_delay: seconds("How long enough of them must run before it counts as up. Default 0."),
    terminate_delay: seconds("How long too few must run before it counts as down. Default 0."),
  },
  { ...closed, title: "a mapping with process, quorum and weight" },
);

/** In an instance and in a group. */
export const trackWords = {
  track_interface: oneOrMore(
    "an interface such as eth2, or eth2 weight -20",
    "Without a weight, down is a fault.",
  ),
  track_script: oneOrMore("a script such as check, or check weight -20", "Names of vrrp_script."),
  track_file: oneOrMore("a file such as offset, or offset weight 2", "Names of vrrp_track_file."),
  track_process: oneOrMore("a process such as nginx, or nginx weight -20", "Names of vrrp_track_process."),
};

function notifyScript(description: string) {
  const command = Type.String({ minLength: 1 });
  const withUser = Type.Object(
    { script: text("a command", "The program and its arguments."), user: text(userTitle, "Who runs it.") },
    closed,
  );
  return Type.Optional(
    Type.Union([command, withUser], {
      title: "a command, or a mapping with script and user",
      description,
    }),
  );
}

/** In an instance and in a group. */
export const notifyWords = {
  notify_master: notifyScript("Run when it becomes master."),
  notify_backup: notifyScript("Run when it becomes backup."),
  notify_fault: notifyScript("Run when it goes to fault."),
  notify_stop: notifyScript("Run when this node stops."),
  notify: notifyScript("Run after these, with INSTANCE or GROUP, the name, the state and the priority."),
  notify_priority_changes: truth("Whether the FIFO hears of changed priorities. Default false."),
  smtp_alert: truth("Whether a mail tells of it. Default: smtp_alert of global_defs."),
};

export const syncGroupSchema = Type.Object(
  {
    group: oneOrMore("an instance's name", "They fault, become master and become backup together."),
    ...trackWords,
    ...notifyWords,
  },
  { ...closed, title: "a mapping with group" },
);

function fitnessWeight(whose: string) {
  return Type.Optional(
    Type.Union([Type.Integer({ minimum: -253, maximum: -1 }), Type.Literal("fault"), Type.Literal(false)], {
      title: "a weight from -253 to -1, fault, or false",
      description: whose,
    }),
  );
}

export const fitnessSchema = Type.Object(
  {
    threads: fitnessWeight("A data thread is stuck or keeps dying, or none serves. Default fault."),
    listeners: fitnessWeight("A listening socket no longer listens. Default fault."),
    servers: Type.Optional(
      Type.Union([Type.Integer({ minimum: -253, maximum: -1 }), Type.Literal(false)], {
        title: "a weight from -253 to -1, or false (both nodes may see the same, so it cannot be a fault)",
        description: "A proxy has no server that can be reached. Default -50.",
      }),
    ),
    control: fitnessWeight("The control thread, which runs what is tracked, is missing. Default -5."),
  },
  {
    ...closed,
    title: "a mapping with threads, listeners, servers and control",
    description: "How this node's own health counts for its instances.",
  },
);

export const globalDefsSchema = Type.Object(
  {
    router_id: plainText("a name", "In the subject of mails. Default: node."),
    script_user: text(userTitle, "Who runs scripts that name nobody. Default: Tandem's own user."),
    notification_email: oneOrMore("a mail address", "Who gets the mails."),
    notification_email_from: text("a mail address", "Default root at the node's name."),
    smtp_server: text("a host, or a host and a port", "Default 127.0.0.1 25."),
    smtp_helo_name: text("a host name", "Default: the host name."),
    smtp_connect_timeout: seconds("Default 30s."),
    smtp_user: plainText("a user's name", "For servers that want to know who sends."),
    smtp_password: plainText("a password", "Needs smtp_user."),
    smtp_tls: Type.Optional(
      Type.Enum(["auto", "off", "starttls", "implicit"], {
        title: "auto, off, starttls or implicit",
        description: "auto: STARTTLS where the server has it, whoever it is. Default auto.",
      }),
    ),
    smtp_alert: truth(
      "Whether instances and groups send mails that do not say so themselves. Default false.",
    ),
    notify_fifo: text("a path", "A line for each transition is written there; made if it is missing."),
    notify_fifo_script: notifyScript("Reads the FIFO: started with its path as the last argument."),
    notify_timeout: seconds("How long one notify script may take before the next one runs. Default 30s."),
  },
  { ...closed, title: "a mapping such as { notification_email: ops@example.org }" },
);

export type ScriptShape = Type.Static<typeof scriptSchema>;
export type TrackFileShape = Type.Static<typeof trackFileSchema>;
export type TrackProcessShape = Type.Static<typeof trackProcessSchema>;
export type SyncGroupShape = Type.Static<typeof syncGroupSchema>;
export type FitnessShape = Type.Static<typeof fitnessSchema>;
export type GlobalDefsShape = Type.Static<typeof globalDefsSchema>;
