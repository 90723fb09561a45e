/** A line of httplog or tcplog: every field but the client's port, the date, and how long things took. */
export interface LogLine {
  readonly text: string;
  /** What the client got, as the peer counts it. */
  readonly bytes: number;
}

const form =
  /^<134>\w{3} [ \d]\d \d\d:\d\d:\d\d (?:haproxy|lb)\[\d+\]: (\S+):\d+ \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] (\S+ \S+) (\S+)( -?\d+)? (\d+) (\D.*)$/;

/** A connection that never became a session, such as one without its PROXY header. */
const refusalForm =
  /^<\d+>\w{3} [ \d]\d \d\d:\d\d:\d\d (?:haproxy|lb)\[\d+\]: (\S+):\d+ \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] (\S+\/\d+: .*)$/;

/** Null: a line about something else, such as a server that went down. */
export function parseLogLine(datagram: string): LogLine | null {
  const refusal = refusalForm.exec(datagram.trimEnd());
  if (refusal !== null) return { text: `${refusal[1]} ${refusal[2]}`, bytes: 0 };
  const match = form.exec(datagram.trimEnd());
  if (match === null) return null;
  const [, address, names, times, status, bytes, rest] = match;
  const signed = times.split("/").map((time) => (time === "-1" ? time : "+"));
  const shown = status === undefined ? "" : `${status.trim()} `;
  const from = address === "127.0.0.1" ? "" : `${address} `;
  return {
    text: `${from}${names} ${signed.join("/")} ${shown}${bytes === "0" ? "0" : "+"} ${rest}`,
    bytes: Number(bytes),
  };
}
