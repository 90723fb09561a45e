/** The stats page's one style: light and dark by the reader's setting, readable on a phone. */
export const pageStyle = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--line:#dde1e7;--text:#1c2430;--dim:#5a6675;
--head:#eef1f5;--front:#f3f6fb;--ok:#1a7f45;--warn:#9a6200;--bad:#c0262d;--info:#2456b8;--off:#5a6675;--faint:#8d97a4}
@media (prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--line:#303946;--text:#e4e8ee;
--dim:#9aa7b7;--head:#222a35;--front:#1e2632;--ok:#4cc381;--warn:#e3ae4d;--bad:#ff7b80;--info:#7fb0ff;--off:#9aa7b7;--faint:#6d7a8a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:16px;max-width:1720px;background:var(--bg);color:var(--text);
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
header{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 14px;margin-bottom:14px}
h1{font-size:21px;margin:0}
h2{font-size:16px;margin:22px 0 8px}
nav{margin-left:auto}
nav a{margin-left:12px}
a{color:var(--info)}
.dim{color:var(--dim)}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px}
.facts{display:flex;flex-wrap:wrap;margin:0;padding:6px 6px}
.facts div{padding:5px 12px}
dt{color:var(--dim);font-size:12px}
dd{margin:0;font-variant-numeric:tabular-nums}
.vrrp{padding:14px;margin-bottom:10px}
.top{display:flex;flex-wrap:wrap;align-items:center;gap:8px 16px}
.state{font-size:24px;font-weight:700;letter-spacing:.04em;padding:3px 14px;border-radius:6px;color:#fff;background:var(--off)}
.MASTER{background:#1a7f45}.BACKUP{background:#2456b8}.FAULT{background:#c0262d}.INIT{background:#5a6675}
.top p{margin:0}
.vrrp .facts{margin:6px -10px 0;padding:0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:5px 8px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
thead th{background:var(--head);font-size:12px;font-weight:600;color:var(--dim)}
.groups th{text-align:center}
tbody th{text-align:left;font-weight:600;position:sticky;left:0;background:var(--card)}
tbody tr:last-child>*{border-bottom:0}
.side>*{background:var(--front)}
.side th{background:var(--front)}
thead .left{text-align:left}
.left{text-align:left}
th .dim{font-weight:400}
.g{border-left:1px solid var(--line)}
.ok{color:var(--ok)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.zero{color:var(--faint)}
.peers{margin-top:10px;width:auto;min-width:50%}
.outcome{margin:0 0 10px;padding:8px 14px}
.act{margin:8px 0 0}
footer{margin-top:20px;color:var(--dim);font-size:12px}
@media (max-width:600px){body{padding:10px}nav{margin-left:0}nav a{margin:0 12px 0 0}th,td{padding:5px 7px}}
`;
