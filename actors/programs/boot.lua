-- What a Lua runtime is told before it sees scrun.lua: the table slurm, the module json, what is taken away.
local raw, constants, json_source = ...
local load, xpcall, type, tostring, tonumber, error = load, xpcall, type, tostring, tonumber, error
local unpack, pack, traceback = table.unpack, table.pack, debug.traceback

python = nil
package.loaded.python = nil
local json = load(json_source, "=json", "t")()
package.preload.json = function() return json end

-- scrun would end without a word, and what is printed has no reader.
os.exit = function() error("os.exit is not for scrun.lua: return slurm.ERROR", 2) end
function print(...)
  local words = pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  raw.log(0, table.concat(words, "\t"))
end

slurm = {}
for name, value in pairs(constants) do slurm[name] = value end
SLURM = slurm  -- the manual writes SLURM.success

local function text(value, at, name)
  if type(value) == "string" then return value end
  if type(value) == "number" then return tostring(value) end
  error(string.format("bad argument #%d to '%s' (string expected, got %s)", at, name, type(value)), 3)
end

for _, name in ipairs {"set_bundle_path", "set_root_path", "allocator_command", "remote_command", "time_str2mins",
                       "get_qos_priority"} do
  local call = raw[name]
  slurm[name] = function(argument)
    local results = pack(call(text(argument, 1, name)))
    if not results[1] then error(results[2], 2) end
    return unpack(results, 2, results.n)
  end
end

local function message(form, ...)
  if select("#", ...) == 0 then return tostring(form) end
  local good, result = pcall(string.format, form, ...)
  if good then return result end
  local words = pack(form, ...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  return table.concat(words, " ")
end

for name, level in pairs {log_error = -1, error = -1, log_user = 0, log_info = 0, log_verbose = 1, log_debug = 2,
                          log_debug2 = 3, log_debug3 = 4, log_debug4 = 5} do
  slurm[name] = function(...) raw.log(level, message(...)) end
end

function slurm.log(first, second)
  if type(first) ~= "number" then first, second = second, first end  -- the manual has them the other way round
  local level = math.tointeger(tonumber(first)) or 0
  if level >= 0 then raw.log(level, tostring(second)) end
end

slurm.to_json = function(value) return json.encode(value) end
slurm.from_json = function(value) return json.decode(text(value, 1, "from_json")) end
local function converted(call, value)
  local good, result = call(value)
  if not good then error(result, 3) end
  return result
end
slurm.to_yaml = function(value) return (converted(raw.to_yaml, json.encode(value))) end
slurm.from_yaml = function(value) return json.decode((converted(raw.from_yaml, text(value, 1, "from_yaml")))) end

-- How Python calls: a table as error, and an error without text, must not be lost.
local function describe(problem)
  local words
  if type(problem) == "table" then
    local meta = getmetatable(problem)
    if type(meta) == "table" and meta.__tostring then words = tostring(problem)
    elseif type(problem.message) == "string" then words = problem.message
    else
      local good, result = pcall(json.encode, problem)
      words = good and result or tostring(problem)
    end
  else
    words = tostring(problem)
  end
  return {words, traceback("", 2)}
end

local function outcome(good, result)
  if not good then return false, result[1], result[2] end
  local number = (type(result) == "number" or type(result) == "string") and tonumber(result) or nil
  return true, number, type(result)
end

local host = {}
function host.load(source, name)
  local chunk, problem = load(source, name, "t")
  if not chunk then return false, problem, "" end
  return outcome(xpcall(chunk, describe))
end
function host.has(name) return type(rawget(_G, name)) == "function" end
function host.call(name, ...) return outcome(xpcall(_G[name], describe, ...)) end
function host.add_path(directory) package.path = directory .. "/?.lua;" .. package.path end
return host
