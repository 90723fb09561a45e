-- For wrk: checks the status and the whole body of every answer, and prints one line of JSON at the end.
--
--     wrk … -s check.lua URL -- STATUS BODY_BYTES [UPLOAD_BYTES]
--
-- The body must be BODY_BYTES times "a"; with UPLOAD_BYTES the request is a POST of so many "b".

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  wanted_status = tonumber(args[1])
  wanted_body = string.rep("a", tonumber(args[2]))
  answers, wrong, first_wrong = 0, 0, ""
  if args[3] ~= nil then
    wrk.method = "POST"
    wrk.body = string.rep("b", tonumber(args[3]))
  end
end

-- Lua strings are interned, so the comparison of two bodies costs as much as that of two pointers.
function response(status, headers, body)
  answers = answers + 1
  if status == wanted_status and body == wanted_body then return end
  wrong = wrong + 1
  if first_wrong == "" then first_wrong = "status " .. status .. ", " .. #body .. " bytes" end
end

function done(summary, latency)
  local all, bad, example = 0, 0, ""
  for _, thread in ipairs(threads) do
    all = all + thread:get("answers")
    bad = bad + thread:get("wrong")
    if example == "" then example = thread:get("first_wrong") end
  end
  local errors = summary.errors
  io.write(string.format(
    '\n{"answers":%d,"wrong":%d,"firstWrong":"%s","bytes":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"p999Us":%d,' ..
      '"connectErrors":%d,"readErrors":%d,"writeErrors":%d,"timeouts":%d}\n',
    all, bad, example, summary.bytes, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.connect, errors.read, errors.write, errors.timeout))
end
