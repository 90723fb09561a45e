/** The dashboard's document: what stands in it comes by script. */
export const dashboardPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tandem</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/dashboard/style.css">
<script type="module" src="/dashboard/app.js"></script>
</head>
<body>
<header><h1 id="title">Tandem</h1><span id="live" class="dim" role="status">connecting</span></header>
<main>
<noscript><p class="card pad">This page needs JavaScript; <a href="/">the statistics</a> do without.</p></noscript>
<section id="nodes" class="grid" aria-label="Nodes"></section>
<section id="instances" aria-label="Virtual addresses"></section>
<section id="findings" aria-label="Differences between the nodes"></section>
<section id="charts" class="grid" aria-label="Charts"></section>
<section id="proxies" aria-label="Servers"></section>
<section id="partners" aria-label="Servers of the partner"></section>
<section id="events" aria-label="What happened"></section>
</main>
</body>
</html>
`;

/** Light and dark by the reader's setting; one column on a phone. */
export const dashboardStyle = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--line:#dde1e7;--text:#1c2430;--dim:#5a6675;--head:#eef1f5;
--ok:#1a7f45;--warn:#9a6200;--bad:#c0262d;--info:#2456b8}
@media (prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--line:#303946;--text:#e4e8ee;--dim:#9aa7b7;
--head:#222a35;--ok:#4cc381;--warn:#e3ae4d;--bad:#ff7b80;--info:#7fb0ff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:16px;max-width:1440px;background:var(--bg);color:var(--text);
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
header{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 14px;margin-bottom:12px}
h1{font-size:21px;margin:0}
h2{font-size:16px;margin:20px 0 8px}
h3{font-size:15px;margin:0}
a{color:var(--info)}
.dim{color:var(--dim)}.ok{color:var(--ok)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px}
.pad{padding:12px 14px}
.grid{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(min(340px,100%),1fr))}
.silent{opacity:.65}
.row{display:flex;flex-wrap:wrap;align-items:center;gap:6px 12px}
.badge{font-weight:700;letter-spacing:.03em;padding:1px 10px;border-radius:5px;color:#fff;background:#5a6675}
.MASTER{background:#1a7f45}.BACKUP{background:#2456b8}.FAULT{background:#c0262d}
dl{display:flex;flex-wrap:wrap;gap:6px 22px;margin:10px 0 0}
dt{color:var(--dim);font-size:12px}
dd{margin:0;font-variant-numeric:tabular-nums;font-size:16px}
.instance,#charts,.finding{margin-top:12px}
.finding{border-left:4px solid var(--warn)}.finding.bad{border-color:var(--bad);font-weight:600}
.instance p{margin:4px 0 0}
.vip{font-size:18px;font-weight:650}
button{font:inherit;padding:3px 11px;border:1px solid var(--line);border-radius:6px;background:var(--head);color:var(--text);cursor:pointer}
button:hover:enabled{border-color:var(--info)}
button:disabled{opacity:.5;cursor:default}
input{font:inherit;width:4.6em;padding:2px 6px;border:1px solid var(--line);border-radius:6px;background:var(--card);color:var(--text)}
.end{margin-left:auto}
.scroll{overflow-x:auto}.partner{margin-bottom:12px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
thead th{background:var(--head);font-size:12px;color:var(--dim)}
tbody tr:last-child>*{border-bottom:0}
.left{text-align:left}
tbody th{text-align:left;font-weight:600}
ol{list-style:none;margin:0;padding:8px 14px;max-height:320px;overflow-y:auto}
li{padding:3px 0;border-left:3px solid var(--line);padding-left:10px;margin:2px 0}
li.ok{border-color:var(--ok)}li.warn{border-color:var(--warn)}li.bad{border-color:var(--bad)}
li,li.dim{color:var(--text)}
time{color:var(--dim);margin-right:10px;font-variant-numeric:tabular-nums}
.chart{padding:10px 12px;min-width:0;overflow:hidden}
.u-legend{font-size:12px}
@media (max-width:600px){body{padding:10px}th,td{padding:6px 7px}.u-legend th{font-weight:400}}
`;
