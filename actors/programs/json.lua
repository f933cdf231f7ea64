-- The module json of scrun.lua; what it keeps that others lose, its reader tells.
local json = {_VERSION = "scrun json 1"}
local DEPTH = 128
local find, sub, byte, char, format = string.find, string.sub, string.byte, string.char, string.format

local ARRAY = {__jsontype = "array"}
local OBJECT = {__jsontype = "object"}
local BIG = {__jsontype = "number"}
BIG.__tostring = function(value) return value.digits end
local function float(value) return getmetatable(value) == BIG and tonumber(value.digits) or value end
for name, operation in pairs {
  __add = function(a, b) return float(a) + float(b) end, __sub = function(a, b) return float(a) - float(b) end,
  __mul = function(a, b) return float(a) * float(b) end, __div = function(a, b) return float(a) / float(b) end,
  __lt = function(a, b) return float(a) < float(b) end, __le = function(a, b) return float(a) <= float(b) end,
  __eq = function(a, b) return a.digits == b.digits end, __unm = function(a) return -float(a) end,
  __concat = function(a, b) return tostring(a) .. tostring(b) end,
} do BIG[name] = operation end

json.null = setmetatable({}, {__tostring = function() return "null" end, __jsontype = "null"})
function json.array(t) return setmetatable(t or {}, ARRAY) end
function json.object(t) return setmetatable(t or {}, OBJECT) end

-- decode ------------------------------------------------------------------------------------------------------

local function fail(text, position, message)
  local line, start = 1, 1
  for at in string.gmatch(sub(text, 1, position - 1), "()\n") do line = line + 1; start = at + 1 end
  error(format("JSON, line %d, column %d: %s", line, position - start + 1, message), 0)
end

local escapes = {['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}

local function decode_string(text, position)
  local at = position + 1
  local stop = find(text, '["\\%c]', at)
  if stop and byte(text, stop) == 34 then return sub(text, at, stop - 1), stop + 1 end
  local parts = {}
  while true do
    stop = find(text, '["\\\0-\31]', at)
    if not stop then fail(text, position, "a string without end") end
    parts[#parts + 1] = sub(text, at, stop - 1)
    local c = byte(text, stop)
    if c == 34 then return table.concat(parts), stop + 1 end
    if c ~= 92 then fail(text, stop, "a control character in a string") end
    local letter = sub(text, stop + 1, stop + 1)
    at = stop + 2
    if letter == "u" then
      local hex = string.match(text, "^%x%x%x%x", at)
      if not hex then fail(text, stop, "\\u without four hexadecimal digits") end
      local code = tonumber(hex, 16)
      at = at + 4
      if code >= 0xD800 and code < 0xDC00 then
        local low = string.match(text, "^\\u([dD][c-fC-F]%x%x)", at)
        if low then
          code = 0x10000 + (code - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00
          at = at + 6
        end
      end
      parts[#parts + 1] = utf8.char(code)
    elseif escapes[letter] then
      parts[#parts + 1] = escapes[letter]
    else
      fail(text, stop, "an unknown escape in a string")
    end
  end
end

local function decode_number(text, position)
  local literal = string.match(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", position)
  if not literal or find(literal, "^-?0%d") or not (find(literal, "^-?%d+$") or find(literal, "^-?%d+%.%d+$")
      or find(literal, "^-?%d+[eE][+-]?%d+$") or find(literal, "^-?%d+%.%d+[eE][+-]?%d+$")) then
    fail(text, position, "not a value")
  end
  local value = tonumber(literal)
  if math.type(value) == "float" and find(literal, "^-?%d+$") then
    value = setmetatable({digits = literal}, BIG)
  end
  return value, position + #literal
end

local decode_value

local function skip(text, position) return find(text, "[^ \t\r\n]", position) or #text + 1 end

local function decode_array(text, position, depth)
  local result, count = setmetatable({}, ARRAY), 0
  local at = skip(text, position + 1)
  if byte(text, at) == 93 then return result, at + 1 end
  while true do
    count = count + 1
    local value
    value, at = decode_value(text, at, depth)
    if value == nil then value = json.null end
    result[count] = value
    at = skip(text, at)
    local c = byte(text, at)
    if c == 93 then return result, at + 1 end
    if c ~= 44 then fail(text, at, "expected , or ]") end
    at = skip(text, at + 1)
  end
end

local function decode_object(text, position, depth)
  local result, nulls = {}, nil
  local at = skip(text, position + 1)
  if byte(text, at) == 125 then return setmetatable(result, OBJECT), at + 1 end
  while true do
    if byte(text, at) ~= 34 then fail(text, at, "expected the name of a member") end
    local name, value
    name, at = decode_string(text, at)
    at = skip(text, at)
    if byte(text, at) ~= 58 then fail(text, at, "expected :") end
    value, at = decode_value(text, skip(text, at + 1), depth)
    if value == nil then
      nulls = nulls or {}
      nulls[name] = true
    end
    result[name] = value
    at = skip(text, at)
    local c = byte(text, at)
    if c == 125 then
      return setmetatable(result, nulls and {__jsontype = "object", __nulls = nulls} or OBJECT), at + 1
    end
    if c ~= 44 then fail(text, at, "expected , or }") end
    at = skip(text, at + 1)
  end
end

function decode_value(text, position, depth)
  local c = byte(text, position)
  if c == 34 then return decode_string(text, position) end
  if c == 123 or c == 91 then
    if depth >= DEPTH then fail(text, position, "nested too deep") end
    return (c == 123 and decode_object or decode_array)(text, position, depth + 1)
  end
  if sub(text, position, position + 3) == "true" then return true, position + 4 end
  if sub(text, position, position + 4) == "false" then return false, position + 5 end
  if sub(text, position, position + 3) == "null" then return nil, position + 4 end
  return decode_number(text, position)
end

function json.decode(text)
  if type(text) ~= "string" then error("JSON: a string expected, got " .. type(text), 2) end
  local at = skip(text, sub(text, 1, 3) == "\xEF\xBB\xBF" and 4 or 1)
  local value, stop = decode_value(text, at, 0)
  stop = skip(text, stop)
  if stop <= #text then fail(text, stop, "something after the end") end
  return value
end

-- encode ------------------------------------------------------------------------------------------------------

local short = {[8] = "\\b", [9] = "\\t", [10] = "\\n", [12] = "\\f", [13] = "\\r", [34] = '\\"', [92] = "\\\\"}
local function escape(c) return short[byte(c)] or format("\\u%04x", byte(c)) end
local function encode_string(value) return '"' .. string.gsub(value, '[%z\1-\31"\\]', escape) .. '"' end

local function encode_number(value)
  if math.type(value) == "integer" then return format("%d", value) end
  if value ~= value or value == math.huge or value == -math.huge then
    error("JSON: a number that is not finite", 0)
  end
  local text = format("%.15g", value)
  if tonumber(text) ~= value then text = format("%.17g", value) end
  return find(text, "^-?%d+$") and text .. ".0" or text
end

-- The length if the keys are exactly 1..n, else nothing.
local function length(value)
  local count = 0
  for key in next, value do
    if math.type(key) ~= "integer" or key < 1 then return nil end
    count = count + 1
  end
  for i = 1, count do if rawget(value, i) == nil then return nil end end
  return count
end

local encode_value

local function encode_object(value, meta, active, out)
  local names, values = {}, {}
  for key, member in next, value do
    local kind = type(key)
    if kind ~= "string" and kind ~= "number" then error("JSON: a " .. kind .. " as the name of a member", 0) end
    local name = kind == "number" and tostring(key) or key
    if values[name] ~= nil then error("JSON: two members of the name " .. name, 0) end
    names[#names + 1] = name
    values[name] = member
  end
  if type(meta) == "table" and type(rawget(meta, "__nulls")) == "table" then
    for name in next, meta.__nulls do
      if values[name] == nil then names[#names + 1] = name; values[name] = json.null end
    end
  end
  table.sort(names)
  out[#out + 1] = "{"
  for i, name in ipairs(names) do
    out[#out + 1] = (i > 1 and "," or "") .. encode_string(name) .. ":"
    encode_value(values[name], active, out)
  end
  out[#out + 1] = "}"
end

local function encode_table(value, active, out)
  if value == json.null then out[#out + 1] = "null"; return end
  local meta = getmetatable(value)
  if meta == BIG then out[#out + 1] = value.digits; return end
  if active[value] then error("JSON: a table that contains itself", 0) end
  if active.depth >= DEPTH then error("JSON: nested too deep", 0) end
  active[value] = true
  active.depth = active.depth + 1
  local count = length(value)
  local object = type(meta) == "table" and rawget(meta, "__jsontype") == "object"
  if count and (count > 0 or not object) then
    out[#out + 1] = "["
    for i = 1, count do
      if i > 1 then out[#out + 1] = "," end
      encode_value(rawget(value, i), active, out)
    end
    out[#out + 1] = "]"
  else
    encode_object(value, meta, active, out)
  end
  active[value] = nil
  active.depth = active.depth - 1
end

function encode_value(value, active, out)
  local kind = type(value)
  if kind == "table" then encode_table(value, active, out)
  elseif kind == "string" then out[#out + 1] = encode_string(value)
  elseif kind == "number" then out[#out + 1] = encode_number(value)
  elseif kind == "boolean" then out[#out + 1] = tostring(value)
  elseif kind == "nil" then out[#out + 1] = "null"
  else error("JSON: a " .. kind .. " cannot be written", 0) end
end

function json.encode(value)
  local out = {}
  encode_value(value, {depth = 0}, out)
  return table.concat(out)
end

return json
