--- `:checkhealth bytecost`
local M = {}
local health = vim.health

--- Runs a program for its first line of output; nil and a reason when that fails.
---@param command string[]
---@return string?, string?
local function first_line(command)
  local started, process = pcall(vim.system, command, { text = true })
  if not started then
    return nil, tostring(process)
  end
  local result = process:wait(5000)
  if result.code ~= 0 then
    return nil, vim.trim(result.stderr or '') .. (' (exit code %d)'):format(result.code)
  end
  local output = vim.trim(result.stdout ~= '' and result.stdout or result.stderr or '')
  return vim.split(output, '\n')[1]
end

--- The program the configuration names, by its full path; nil when there is none.
---@return string?
local function check_program()
  local config = vim.lsp.config.bytecost
  local cmd = config and config.cmd
  if not config then
    health.error('no configuration named bytecost', 'add editors/neovim to the runtime path')
    return nil
  elseif type(cmd) ~= 'table' then
    health.info('`cmd` is a function: the program cannot be checked')
    return nil
  end
  local path = vim.fn.exepath(cmd[1])
  if path == '' then
    health.error(('`%s` is not an executable program'):format(cmd[1]), {
      'install it: `uv tool install bytecost`, `pipx install bytecost` or `cargo install bytecost`',
      "or name it: `vim.lsp.config('bytecost', { cmd = { '/path/to/bytecost', 'lsp' } })`",
    })
    return nil
  end
  local version, reason = first_line({ path, '--version' })
  if version then
    health.ok(('%s: `%s`'):format(version, path))
  else
    health.error(('`%s --version` failed: %s'):format(path, reason))
  end
  return path
end

local function check_interpreter()
  for _, name in ipairs({ 'python3', 'python' }) do
    local path = vim.fn.exepath(name)
    if path ~= '' then
      local version, reason = first_line({ path, '--version' })
      local minor = version and tonumber(version:match('^Python 3%.(%d+)'))
      if minor and minor >= 11 then
        health.ok(('%s on PATH: `%s`'):format(version, path))
      else
        health.warn(
          ('`%s` is %s; bytecost measures CPython 3.11 or newer'):format(path, version or reason),
          'a virtual environment of the project or the setting `bytecost.python` comes first'
        )
      end
      return
    end
  end
  health.warn(
    'no Python on PATH',
    'a virtual environment of the project or the setting `bytecost.python` comes first'
  )
end

local function check_clients()
  if vim.lsp.is_enabled and not vim.lsp.is_enabled('bytecost') then
    health.warn('the server is not enabled', "`vim.lsp.enable('bytecost')`")
  end
  local clients = vim.lsp.get_clients({ name = 'bytecost' })
  if #clients == 0 then
    health.info('no server is running: open a Python file')
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_keys(client.attached_buffers)
    health.ok(('running for %s, %d buffer(s)'):format(client.root_dir or 'single files', #buffers))
    for _, buf in ipairs(buffers) do
      local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buf), ':~:.')
      if vim.lsp.inlay_hint.is_enabled({ bufnr = buf }) then
        health.ok(('inlay hints are on in %s'):format(name))
      else
        health.info(('inlay hints are off in %s: `:LspBytecostHints` turns them on'):format(name))
      end
    end
  end
end

--- Called by `:checkhealth bytecost`.
function M.check()
  health.start('bytecost')
  if vim.fn.has('nvim-0.11') == 0 then
    health.error('Neovim 0.11 or newer is needed')
    return
  end
  check_program()
  check_interpreter()
  check_clients()
end

return M
