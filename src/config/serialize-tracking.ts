import { describeCommand } from "./command-words.js";
import type { Config } from "./config.js";
import { describeDuration } from "./duration.js";
import type {
  AlertConfig,
  NotifyConfig,
  NotifyScript,
  ScriptConfig,
  TrackConfig,
  TrackedItem,
  TrackProcessConfig,
  UserConfig,
} from "./tracking-config.js";

/** The words of tracking, groups, notify and mail, for `serializeConfig`. What says nothing is left out. */

export function writeTracking(config: Config): object {
  const { scripts, files, processes } = config.tracking;
  const { fitness } = config;
  return {
    ...(scripts.length > 0 && { vrrp_script: byName(scripts, writeScript) }),
    ...(files.length > 0 && {
      vrrp_track_file: byName(files, ({ file, init }) => ({
        file,
        ...(init !== null && { init_file: `${init.value}${init.overwrite ? " overwrite" : ""}` }),
      })),
    }),
    ...(processes.length > 0 && { vrrp_track_process: byName(processes, writeProcess) }),
    ...(config.syncGroups.length > 0 && {
      vrrp_sync_group: byName(config.syncGroups, ({ members, track, notify }) => ({
        group: members,
        ...writeTrack(track),
        ...writeNotify(notify),
      })),
    }),
    fitness: {
      threads: fitness.threads ?? false,
      listeners: fitness.listeners ?? false,
      servers: fitness.servers ?? false,
      control: fitness.control ?? false,
    },
  };
}

export function writeTrack(track: TrackConfig): object {
  const items = (list: readonly TrackedItem[]): string[] =>
    list.map(({ name, weight, reverse }) => `${name} weight ${weight}${reverse ? " reverse" : ""}`);
  return {
    ...(track.interfaces.length > 0 && { track_interface: items(track.interfaces) }),
    ...(track.scripts.length > 0 && { track_script: items(track.scripts) }),
    ...(track.files.length > 0 && { track_file: items(track.files) }),
    ...(track.processes.length > 0 && { track_process: items(track.processes) }),
  };
}

export function writeNotify(notify: NotifyConfig): object {
  return {
    ...(notify.master !== null && { notify_master: writeNotifyScript(notify.master) }),
    ...(notify.backup !== null && { notify_backup: writeNotifyScript(notify.backup) }),
    ...(notify.fault !== null && { notify_fault: writeNotifyScript(notify.fault) }),
    ...(notify.stop !== null && { notify_stop: writeNotifyScript(notify.stop) }),
    ...(notify.any !== null && { notify: writeNotifyScript(notify.any) }),
    ...(notify.priorityChanges && { notify_priority_changes: true }),
    ...(notify.smtpAlert && { smtp_alert: true }),
  };
}

export function writeGlobalDefs(alerts: AlertConfig, secret: (text: string) => string): object {
  const { fifo, mail } = alerts;
  return {
    global_defs: {
      notify_timeout: describeDuration(alerts.scriptTimeoutMs),
      ...(fifo !== null && { notify_fifo: fifo.path }),
      ...(fifo !== null && fifo.script !== null && { notify_fifo_script: writeNotifyScript(fifo.script) }),
      ...(mail !== null && {
        router_id: mail.routerId,
        notification_email: mail.to,
        notification_email_from: mail.from,
        smtp_server: `${mail.host} ${mail.port}`,
        ...(mail.heloName !== null && { smtp_helo_name: mail.heloName }),
        smtp_connect_timeout: describeDuration(mail.connectTimeoutMs),
        smtp_tls: mail.tls,
        ...(mail.credentials !== null && {
          smtp_user: mail.credentials.user,
          smtp_password: secret(mail.credentials.password),
        }),
      }),
    },
  };
}

function writeScript({ script, user, ...times }: ScriptConfig): object {
  return {
    script: describeCommand(script),
    interval: describeDuration(times.intervalMs),
    timeout: describeDuration(times.timeoutMs),
    rise: times.rise,
    fall: times.fall,
    init_fail: times.initFail,
    ...(user !== null && { user: writeUser(user) }),
  };
}

function writeProcess(tracked: TrackProcessConfig): object {
  return {
    process: describeCommand(tracked.process),
    full_command: tracked.fullCommand,
    quorum: tracked.quorum,
    fork_delay: describeDuration(tracked.forkDelayMs),
    terminate_delay: describeDuration(tracked.terminateDelayMs),
  };
}

function writeNotifyScript({ script, user }: NotifyScript): string | object {
  const command = describeCommand(script);
  return user === null ? command : { script: command, user: writeUser(user) };
}

function writeUser({ user, group }: UserConfig): string {
  return group === null ? user : `${user} ${group}`;
}

/** A Map, because an object would move names such as "1" to the front. */
function byName<T extends { readonly name: string }>(
  items: readonly T[],
  write: (item: T) => object,
): Map<string, object> {
  return new Map(items.map((item) => [item.name, write(item)]));
}
