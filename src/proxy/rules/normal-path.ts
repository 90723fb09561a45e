/**
 * The path as conditions see it: RFC 3986 §6.2.2 (letters written as %xx that need not be, dot segments), and several
 * slashes as one, as web servers take them. Without this `//admin`, `/x/../admin` and `/%61dmin` would pass a rule about
 * `/admin` and still reach it. What is forwarded is what the client sent.
 */
export function normalPath(path: string): string {
  if (isNormal(path)) return path;
  const kept: string[] = [];
  const decoded = path.replace(/%([0-9a-fA-F]{2})/g, (written, digits: string) => {
    const letter = String.fromCharCode(Number.parseInt(digits, 16));
    return /[A-Za-z0-9._~-]/.test(letter) ? letter : written.toUpperCase();
  });
  const segments = decoded.split("/");
  for (const segment of segments) {
    if (segment === "..") kept.pop();
    else if (segment !== "." && segment !== "") kept.push(segment);
  }
  const last = segments.at(-1);
  const isFolder = last === "" || last === "." || last === "..";
  return `/${kept.join("/")}${isFolder && kept.length > 0 ? "/" : ""}`;
}

function isNormal(path: string): boolean {
  return path.startsWith("/") && !path.includes("%") && !path.includes("//") && !path.includes("/.");
}
