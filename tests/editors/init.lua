-- What a user's configuration would say.
vim.opt.runtimepath:prepend(vim.env.BYTECOST_PLUGIN)
vim.opt.swapfile = false
vim.opt.signcolumn = 'yes'
vim.opt.termguicolors = true
vim.opt.winborder = 'rounded'
vim.diagnostic.config({ virtual_text = true })
vim.lsp.enable('bytecost')
