-- Sends the requests whose files are named on the command line, one after the other.
local bodies = {}
local turn = 0

function init(arguments)
  for _, path in ipairs(arguments) do
    local file = assert(io.open(path, "rb"))
    bodies[#bodies + 1] = file:read("*a")
    file:close()
  end
  wrk.method = "POST"
  wrk.path = "/v1/models/heed:predict"
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  turn = turn % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[turn])
end
