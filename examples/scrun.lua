--[[
An example of scrun.lua, Slurm's script that brings a container to the nodes of its job and its changes back.

scrun needs no script: without one it does much the same by itself. Write one when containers have to go somewhere
else, by another tool, or with another config.json. Put it beside slurm.conf, or name it in scrun.toml (lua = "...").

This one copies the root file system to a directory that all nodes see, with rsync. Change SCRATCH.
--]]

local json = require "json"

local SCRATCH = os.getenv("SCRUN_EXAMPLE_SCRATCH") or "/scratch/scrun"

-- Quote a word for the shell: ids and paths come from the user.
local function quote(word)
  return "'" .. string.gsub(word, "'", [['\'']]) .. "'"
end

-- Run a command where scrun runs; stop the script with its output if it fails.
local function run(...)
  local words = {}
  for _, word in ipairs {...} do words[#words + 1] = quote(word) end
  local command = table.concat(words, " ")
  local status, output = slurm.allocator_command(command)
  if status ~= 0 then error(string.format("%s: status %d: %s", command, status, output), 0) end
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read "a"
  file:close()
  return content
end

local function write(path, content)
  local file = assert(io.open(path, "wb"))
  assert(file:write(content))
  assert(file:close())
end

-- Paths that only this host has: their contents go into the copy.
local function is_local(source)
  for _, prefix in ipairs {"/run/", "/var/run/", "/var/lib/containers/", "/var/lib/docker/"} do
    if string.sub(source, 1, #prefix) == prefix then return true end
  end
  return string.find(source, "/containers/storage/", 1, true) ~= nil
end

function slurm_scrun_stage_in(id, bundle, spool_dir, config_file, job_id, user_id, group_id, job_env)
  slurm.log_debug("container %s of job %d", id, job_id)
  local config = json.decode(read(config_file))

  local source = config.root.path
  if string.sub(source, 1, 1) ~= "/" then source = bundle .. "/" .. source end
  local staged = string.format("%s/%d/%s", SCRATCH, user_id, id)
  local rootfs = staged .. "/rootfs"
  run("mkdir", "-p", "-m", "700", rootfs)
  run("rsync", "-a", "--numeric-ids", "--delete", "--exclude=/proc/*", "--exclude=/sys/*", source .. "/", rootfs .. "/")

  -- What the runtime of a node has neither the right nor the means to do.
  config.root.path = rootfs
  config.hooks = nil
  config.process.rlimits = nil
  config.process.oomScoreAdj = nil
  config.process.apparmorProfile = nil
  config.process.user.additionalGids = nil
  config.linux.resources = nil
  config.linux.cgroupsPath = nil
  config.linux.sysctl = nil

  -- The container's user is the user of the job, whoever that is inside.
  config.linux.namespaces = {{type = "pid"}, {type = "ipc"}, {type = "uts"}, {type = "mount"}, {type = "user"}}
  config.linux.uidMappings = {{containerID = config.process.user.uid or 0, hostID = user_id, size = 1}}
  config.linux.gidMappings = {{containerID = config.process.user.gid or 0, hostID = group_id, size = 1}}

  local mounts = {}
  for _, mount in ipairs(config.mounts or {}) do
    local options = {}
    for _, option in ipairs(mount.options or {}) do
      -- Only one id is mapped.
      if not string.find(option, "^[ug]id=") then options[#options + 1] = option end
    end
    mount.options = #options > 0 and options or nil
    if mount.destination == "/dev/shm" then
      mount = {destination = "/dev/shm", type = "tmpfs", source = "shm", options = {"nosuid", "nodev", "mode=1777"}}
    elseif mount.type == "cgroup" then
      mount = nil
    elseif mount.type == "sysfs" then
      mount = {destination = "/sys", type = "bind", source = "/sys", options = {"rbind", "ro", "nosuid", "nodev"}}
    elseif mount.type == "bind" and is_local(mount.source) then
      run("mkdir", "-p", (string.gsub(rootfs .. mount.destination, "/[^/]*$", "")))
      run("cp", "-a", "-L", "-T", mount.source, rootfs .. mount.destination)
      mount = nil
    end
    mounts[#mounts + 1] = mount
  end
  config.mounts = mounts

  -- What the program may want to know of its job.
  config.process.env = config.process.env or {}
  for _, variable in ipairs(job_env) do table.insert(config.process.env, variable) end

  write(staged .. "/config.json", json.encode(config))
  slurm.set_bundle_path(staged)
  slurm.set_root_path(rootfs)
  slurm.log_info("staged in %s", staged)
  return slurm.SUCCESS
end

function slurm_scrun_stage_out(id, bundle, orig_bundle, root_path, orig_root_path, spool_dir, config_file, job_id,
                               user_id, group_id)
  -- Stage-in may have failed before it had set anything.
  if bundle == orig_bundle then return slurm.SUCCESS end
  if root_path ~= orig_root_path then
    local config = json.decode(read(config_file))
    local words = {"rsync", "-a", "--numeric-ids", "--delete", "--exclude=/proc", "--exclude=/sys", "--exclude=/dev"}
    for _, mount in ipairs(config.mounts or {}) do words[#words + 1] = "--exclude=" .. mount.destination end
    words[#words + 1] = root_path .. "/"
    words[#words + 1] = orig_root_path .. "/"
    run(table.unpack(words))
  end
  run("rm", "-rf", "--one-file-system", "--", bundle)
  return slurm.SUCCESS
end

return slurm.SUCCESS
