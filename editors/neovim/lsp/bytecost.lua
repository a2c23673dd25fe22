---@brief
---
--- https://github.com/bytecost/bytecost
---
--- What each line of Python costs in bytecode, and why: executions, specialization states and
--- misses, measured by running the code on a stock CPython when asked to.
---
--- Buffer-local commands: `:LspBytecostRun`, `:LspBytecostCancel`, `:LspBytecostClear`,
--- `:LspBytecostLoad`, `:LspBytecostBytecode`, `:LspBytecostHints`.

---@param client vim.lsp.Client
---@param buf integer
---@param command string
---@param arguments? table the command's arguments, none by default
local function execute(client, buf, command, arguments)
  client:exec_cmd({
    title = command,
    command = command,
    arguments = arguments,
  }, { bufnr = buf }, function(err)
    if err then
      vim.notify(err.message, vim.log.levels.ERROR)
    end
  end)
end

--- The buffer and the place of the cursor in it, as every command of one function takes them.
---@param client vim.lsp.Client
---@param buf integer
local function here(client, buf)
  local window = vim.fn.bufwinid(buf)
  local params = vim.lsp.util.make_position_params(window == -1 and 0 or window, client.offset_encoding)
  return { uri = vim.uri_from_bufnr(buf), position = params.position }
end

--- What can be run in the buffer: the qualified names its code lenses carry.
---@param client vim.lsp.Client
---@param buf integer
---@param typed string
---@return string[]
local function targets(client, buf, typed)
  local params = { textDocument = { uri = vim.uri_from_bufnr(buf) } }
  local reply = client:request_sync('textDocument/codeLens', params, 1000, buf)
  local names = {} ---@type string[]
  for _, lens in ipairs(reply and reply.result or {}) do
    local argument = lens.command and lens.command.arguments and lens.command.arguments[1]
    local name = type(argument) == 'table' and argument.target
    if type(name) == 'string' and vim.startswith(name, typed) and not vim.list_contains(names, name) then
      names[#names + 1] = name
    end
  end
  return names
end

--- Code lenses of this buffer; Neovim 0.11 has to be told when to ask for them.
---@param buf integer
local function show_lenses(buf)
  if vim.lsp.codelens.enable then
    vim.lsp.codelens.enable(true, { bufnr = buf })
    return
  end
  local group = vim.api.nvim_create_augroup('bytecost.codelens.' .. buf, { clear = true })
  vim.api.nvim_create_autocmd({ 'BufEnter', 'InsertLeave', 'TextChanged' }, {
    group = group,
    buffer = buf,
    callback = function()
      vim.lsp.codelens.refresh({ bufnr = buf })
    end,
  })
  vim.lsp.codelens.refresh({ bufnr = buf })
end

--- Shows how far a run is: Neovim itself does not.
---@param client vim.lsp.Client
local function show_progress(client)
  vim.api.nvim_create_autocmd('LspProgress', {
    group = vim.api.nvim_create_augroup('bytecost.progress.' .. client.id, { clear = true }),
    callback = function(event)
      if event.data.client_id ~= client.id then
        return client:is_stopped()
      end
      local value = event.data.params.value
      if vim.fn.has('nvim-0.12') == 1 then
        vim.api.nvim_echo({ { value.message or '' } }, false, {
          id = 'bytecost.' .. client.id,
          kind = 'progress',
          source = 'bytecost',
          title = value.title,
          status = value.kind == 'end' and 'success' or 'running',
          percent = value.kind == 'end' and 100 or value.percentage,
        })
      else
        local percent = value.percentage and (' %d%%'):format(value.percentage) or ''
        local text = ('%s:%s %s'):format(value.title or 'bytecost', percent, value.message or '')
        vim.api.nvim_echo({ { text } }, false, {})
      end
    end,
  })
end

--- Asks for the hints anew. Neovim's own handler marks the lines as drawn if the screen is
--- redrawn between its request and the reply, and the new hints are then not shown (0.12.4);
--- enabling what is enabled starts from nothing.
---@type lsp.Handler
local function on_hints_changed(_, _, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  for buf in pairs(client and client.attached_buffers or {}) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.lsp.inlay_hint.is_enabled({ bufnr = buf }) then
      vim.lsp.inlay_hint.enable(true, { bufnr = buf })
    end
  end
  return vim.NIL
end

---@type vim.lsp.Config
return {
  cmd = { 'bytecost', 'lsp' },
  filetypes = { 'python' },
  root_markers = { 'pyproject.toml', 'setup.py', 'setup.cfg', '.git', '.bytecost' },
  handlers = { ['workspace/inlayHint/refresh'] = on_hints_changed },
  on_init = function(client)
    if vim.g.bytecost_progress ~= false then
      show_progress(client)
    end
  end,
  on_attach = function(client, buf)
    local function command(name, run, options)
      vim.api.nvim_buf_create_user_command(buf, name, run, options)
    end

    command('LspBytecostRun', function(typed)
      if typed.bang then
        execute(client, buf, 'bytecost.run')
        return
      end
      local what = here(client, buf)
      if typed.args:sub(-1) == ')' then
        what.call = typed.args
      elseif typed.args ~= '' then
        what.target, what.position = typed.args, nil
      end
      execute(client, buf, 'bytecost.run', { what })
    end, {
      nargs = '?',
      bang = true,
      complete = function(_, line)
        return targets(client, buf, (line:gsub('^.-LspBytecostRun!?%s*', '')))
      end,
      desc = 'Measure the function at the cursor, a named one, or a call expression; with ! the last again',
    })

    command('LspBytecostCancel', function()
      execute(client, buf, 'bytecost.cancel')
    end, { desc = 'Stop the measurement that is running' })

    command('LspBytecostClear', function()
      execute(client, buf, 'bytecost.clear')
    end, { desc = 'Drop all results' })

    command('LspBytecostLoad', function(typed)
      local uris = vim.tbl_map(function(file)
        return vim.uri_from_fname(vim.fn.fnamemodify(vim.fn.expand(file), ':p'))
      end, typed.fargs)
      execute(client, buf, 'bytecost.load', #uris > 0 and { { uris = uris } } or nil)
    end, { nargs = '*', complete = 'file', desc = 'Show saved profiles' })

    command('LspBytecostBytecode', function()
      execute(client, buf, 'bytecost.showBytecode', { here(client, buf) })
    end, { desc = 'Open the annotated bytecode of the function at the cursor' })

    command('LspBytecostHints', function()
      local on = vim.lsp.inlay_hint.is_enabled({ bufnr = buf })
      vim.lsp.inlay_hint.enable(not on, { bufnr = buf })
    end, { desc = 'Turn the inlay hints of this buffer on or off' })

    if vim.g.bytecost_inlay_hints ~= false then
      vim.lsp.inlay_hint.enable(true, { bufnr = buf })
    end
    if vim.g.bytecost_code_lens ~= false then
      show_lenses(buf)
    end
  end,
}
